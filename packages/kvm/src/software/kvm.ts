import type { EventFd } from '../port/event-fd.ts';
import type { GuestMemfd } from '../port/guest-memfd.ts';
import { PAGE_BYTES } from '../port/guest-memory.ts';
import type { HostMemory, HostMemoryHandle } from '../port/host-memory.ts';
import type { BackendInfo, Kvm } from '../port/kvm.ts';
import type { Pinning } from '../port/pinning.ts';
import type { Kicker, KickTarget } from '../port/vcpu.ts';
import type { CpuidEntry } from '../port/vcpu-state.ts';
import type { Vm, VmHandle } from '../port/vm.ts';
import { ERRNO, failure } from '../sys/errno.ts';
import { checkExtension } from './capabilities.ts';
import { EMULATED_CPUID, SUPPORTED_CPUID } from './cpuid.ts';
import { SoftwareKicker } from './kick.ts';
import { Machine } from './machine.ts';
import { type MoveOutcome, type Mover, SnapshotError, SoftwareGuestMemfd } from './memory/index.ts';
import type { SoftwareKvmOptions } from './options.ts';
import { SoftwarePinning } from './pinning.ts';
import { engineLayout, type VmSnapshot } from './snapshot/vm-snapshot.ts';
import { MSR_INDICES } from './vcpu/msr/msrs.ts';
import { FEATURE_MSRS } from './vcpu/msr/platform-msrs.ts';
import { SoftwareVm } from './vm.ts';
import type { VmParts } from './vm-parts.ts';
import { techOf } from './vm-types.ts';

/** The kernel whose rules are followed. */
const KERNEL = '6.18.0';
const API_VERSION = 12;
/** struct kvm_run, and a page for port data; nothing is mapped, but user space may ask. */
const RUN_AREA_BYTES = 2 * 4096;

/**
 * A KVM in this process, on any machine: x86 by an interpreter, SEV by real AES, memory that is really there or not.
 * VMs, vCPUs and memory belong to the thread that opened it; kickers and eventfds go anywhere.
 */
export class SoftwareKvm implements Kvm {
  readonly info: BackendInfo = { backend: 'software', kernel: KERNEL, engine: 'wasm' };
  readonly #options: SoftwareKvmOptions;
  readonly #vms = new Map<number, SoftwareVm>();
  #made: Machine | null = null;

  constructor(options: SoftwareKvmOptions = {}) {
    this.#options = options;
  }

  /** The host that moves pages. Not in the port. */
  get mover(): Mover {
    return this.#machine.host.mover;
  }

  /** The host moves one page of a memory to another frame, if it may. RangeError where nothing is. Not in the port. */
  movePage(memory: HostMemory, offset: number): MoveOutcome {
    const { addresses, mover } = this.#machine.host;
    const range = addresses.find(memory.hva + offset);
    const frame = range?.backing.frameAt(Math.floor((memory.hva + offset - range.hva) / PAGE_BYTES)) ?? 0;
    if (frame === 0) throw new RangeError(`no page at offset ${offset}`);
    return mover.move(frame);
  }

  /** Bytes of host memory that guests and host use, as the operating system counts them. Not in the port. */
  residentBytes(): number {
    return this.#made === null ? 0 : this.#machine.host.memory.residentBytes();
  }

  apiVersion(): number {
    return API_VERSION;
  }

  checkExtension(cap: number): number {
    return checkExtension(cap, null);
  }

  supportedCpuid(): readonly CpuidEntry[] {
    return SUPPORTED_CPUID;
  }

  emulatedCpuid(): readonly CpuidEntry[] {
    return EMULATED_CPUID;
  }

  msrIndices(): readonly number[] {
    return MSR_INDICES;
  }

  featureMsrIndices(): readonly number[] {
    return FEATURE_MSRS;
  }

  vcpuMmapBytes(): number {
    return RUN_AREA_BYTES;
  }

  createVm(type: number): Vm {
    if (techOf(type) === undefined) throw failure('KVM_CREATE_VM', ERRNO.EINVAL, `VM type ${type}`);
    const machine = this.#machine;
    return this.#own(machine, machine.createVm(type));
  }

  /**
   * A saved VM with its vCPUs, all of them with the handles that they had; `adoptMemory` and `adoptGuestMemfd` give its
   * memory's objects. Time goes on where it was. SnapshotError where this Kvm holds memory already, has another clock or
   * less memory, or where the snapshot is of a build whose processor is laid out otherwise. Not in the port.
   */
  restoreVm(snapshot: VmSnapshot): SoftwareVm {
    if (snapshot.engine !== engineLayout())
      throw new SnapshotError('the snapshot is of another build, whose processor is laid out otherwise');
    if (this.#vms.size > 0) throw new SnapshotError('a VM is restored only where no other one is');
    const machine = this.#machine;
    machine.resume(snapshot.machine);
    const { type, space, fd } = snapshot.vm;
    const vm = this.#own(machine, machine.restoreVm(type, space), fd);
    vm.resume(snapshot.vm);
    machine.resumeRandomness(snapshot.machine);
    return vm;
  }

  /** The memory of a restored VM, by the handle that it had: closing the answer unmaps it. RangeError for none. */
  adoptMemory(handle: HostMemoryHandle): HostMemory {
    return this.#machine.host.addresses.adopt(handle);
  }

  /** A restored VM's guest_memfd, by its descriptor. RangeError for none. */
  adoptGuestMemfd(fd: number): GuestMemfd {
    const file = this.#machine.host.descriptors.get(fd);
    if (file instanceof SoftwareGuestMemfd) return file;
    throw new RangeError(`no guest_memfd of this software KVM is ${fd}`);
  }

  #own(machine: Machine, parts: VmParts, savedFd?: number): SoftwareVm {
    const fd = machine.host.descriptors.open(parts, savedFd);
    const vm = new SoftwareVm({ fd, type: parts.type }, parts, {
      closed: () => {
        this.#vms.delete(fd);
        machine.host.descriptors.close(fd);
      },
      saveMachine: () => {
        if (this.#vms.size > 1) throw new SnapshotError('another VM shares the machine');
        return machine.state();
      },
    });
    this.#vms.set(fd, vm);
    return vm;
  }

  /** KvmError EBADF for a handle of another Kvm object, or of a VM that was closed. */
  openVm(handle: VmHandle): Vm {
    const vm = this.#vms.get(handle.fd);
    if (vm === undefined) throw failure('openVm', ERRNO.EBADF);
    return vm;
  }

  openKicker(target: KickTarget): Kicker {
    return new SoftwareKicker(target);
  }

  createEventFd(): EventFd {
    return this.#machine.counters.createEventFd();
  }

  /** `hugePages` is no matter here: frames are given out one by one. */
  allocate(size: number): HostMemory {
    return this.#machine.host.addresses.allocate(size);
  }

  allocateMemfd(name: string, size: number): HostMemory {
    return this.#machine.host.addresses.allocateMemfd(name, size);
  }

  mapGuestMemfd(fd: number, size: number): HostMemory {
    return this.#machine.host.addresses.mapGuestMemfd(fd, size);
  }

  get pinning(): Pinning {
    return new SoftwarePinning(this.#machine.host);
  }

  close(): void {
    for (const vm of this.#vms.values()) vm.close();
    this.#made = null;
  }

  get #machine(): Machine {
    this.#made ??= new Machine(this.#options);
    return this.#made;
  }
}

/** Opens a software KVM. Cheap: memory and processor come when they are first used. */
export function openSoftwareKvm(options: SoftwareKvmOptions = {}): SoftwareKvm {
  return new SoftwareKvm(options);
}
