import type { EventFd } from '../port/event-fd.ts';
import type { HostMemory, HostMemoryHandle } from '../port/host-memory.ts';
import type { BackendInfo, Kvm } from '../port/kvm.ts';
import type { Kicker, KickTarget } from '../port/vcpu.ts';
import type { CpuidEntry } from '../port/vcpu-state.ts';
import type { Vm, VmHandle } from '../port/vm.ts';
import { ERRNO, failure } from '../sys/errno.ts';
import { createEventFd } from '../sys/eventfd.ts';
import { closeFile, O_RDWR, openFile } from '../sys/file.ts';
import { ioctl, ioctlStruct, tryIoctlStruct } from '../sys/ioctl.ts';
import { SYSTEM_IOCTLS } from '../uapi/ioctls.ts';
import { MSR_LIST } from '../uapi/vm-structs.ts';
import { type AllocateOptions, allocateAnonymous, allocateMemfd, mapGuestMemfd, openHostMemory } from './allocate.ts';
import { describeBackend } from './backend-info.ts';
import { LinuxKicker, prepareKicks } from './kick.ts';
import { LinuxPinning } from './linux-pinning.ts';
import { decodeCpuid, emptyCpuid } from './list-codec.ts';
import { LinuxVm } from './vm.ts';

type StructCall = keyof typeof SYSTEM_IOCTLS;

/** The kernel's /dev/kvm. Each thread opens its own; VMs and vCPUs travel as handles. */
export class LinuxKvm implements Kvm {
  readonly info: BackendInfo = describeBackend();
  readonly #fd: number;
  readonly pinning = new LinuxPinning();

  constructor(fd: number) {
    this.#fd = fd;
    prepareKicks();
  }

  apiVersion(): number {
    return ioctl('KVM_GET_API_VERSION', this.#fd, SYSTEM_IOCTLS.KVM_GET_API_VERSION);
  }

  checkExtension(cap: number): number {
    return ioctl('KVM_CHECK_EXTENSION', this.#fd, SYSTEM_IOCTLS.KVM_CHECK_EXTENSION, cap);
  }

  supportedCpuid(): readonly CpuidEntry[] {
    return this.#cpuid('KVM_GET_SUPPORTED_CPUID');
  }

  emulatedCpuid(): readonly CpuidEntry[] {
    return this.#cpuid('KVM_GET_EMULATED_CPUID');
  }

  msrIndices(): readonly number[] {
    return this.#indices('KVM_GET_MSR_INDEX_LIST');
  }

  featureMsrIndices(): readonly number[] {
    return this.#indices('KVM_GET_MSR_FEATURE_INDEX_LIST');
  }

  vcpuMmapBytes(): number {
    return ioctl('KVM_GET_VCPU_MMAP_SIZE', this.#fd, SYSTEM_IOCTLS.KVM_GET_VCPU_MMAP_SIZE);
  }

  createVm(type: number): Vm {
    const fd = ioctl('KVM_CREATE_VM', this.#fd, SYSTEM_IOCTLS.KVM_CREATE_VM, type);
    return new LinuxVm({ fd, type }, this.vcpuMmapBytes(), true);
  }

  openVm(handle: VmHandle): Vm {
    return new LinuxVm(handle, this.vcpuMmapBytes(), false);
  }

  openKicker(target: KickTarget): Kicker {
    return new LinuxKicker(target);
  }

  createEventFd(): EventFd {
    return createEventFd();
  }

  allocate(size: number, options: AllocateOptions = {}): HostMemory {
    return allocateAnonymous(size, options);
  }

  allocateMemfd(name: string, size: number, options: AllocateOptions = {}): HostMemory {
    return allocateMemfd(name, size, options);
  }

  mapGuestMemfd(fd: number, size: number): HostMemory {
    return mapGuestMemfd(fd, size);
  }

  /** Memory of this process in another thread. Not in the port: a software KVM's can't be reached from one. */
  openHostMemory(handle: HostMemoryHandle): HostMemory {
    return openHostMemory(handle);
  }

  /** Closes /dev/kvm and releases the pins made through this object. VMs live on. */
  close(): void {
    this.pinning.close();
    closeFile(this.#fd);
  }

  #cpuid(name: StructCall): readonly CpuidEntry[] {
    const cpuid = emptyCpuid();
    ioctlStruct(name, this.#fd, SYSTEM_IOCTLS[name], cpuid.bytes);
    return decodeCpuid(cpuid);
  }

  /** Asked with no room first: KVM answers E2BIG and how many there are. */
  #indices(name: StructCall): readonly number[] {
    const empty = MSR_LIST.make();
    const refusal = tryIoctlStruct(this.#fd, SYSTEM_IOCTLS[name], empty.bytes);
    if (refusal === 0) return [];
    if (refusal !== -ERRNO.E2BIG) throw failure(name, -refusal);
    const list = MSR_LIST.make(empty.get('nmsrs') * 4).set('nmsrs', empty.get('nmsrs'));
    ioctlStruct(name, this.#fd, SYSTEM_IOCTLS[name], list.bytes);
    return [...new Uint32Array(list.bytes.buffer, MSR_LIST.size, list.get('nmsrs'))];
  }
}

/**
 * Opens /dev/kvm. Throws KvmError: ENOENT where there is none (no KVM module), EACCES without the right to it,
 * ENODEV or ENXIO where the processor can't.
 */
export function openLinuxKvm(): LinuxKvm {
  return new LinuxKvm(openFile('/dev/kvm', O_RDWR));
}
