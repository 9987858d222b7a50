import type { GuestMemfd } from '../port/guest-memfd.ts';
import type { View } from '../port/guest-memory.ts';
import type { U64 } from '../port/u64.ts';
import type { Vcpu, VcpuHandle } from '../port/vcpu.ts';
import type { ViewFinding } from '../port/view-finding.ts';
import type { MemoryRegion, MemoryRegion2, MsrFilterRange, SevCommand, Vm, VmHandle } from '../port/vm.ts';
import { ERRNO, failure } from '../sys/errno.ts';
import { checkExtension, MAX_VCPU_IDS, MAX_VCPUS } from './capabilities.ts';
import type { MachineState } from './machine-state.ts';
import { type EncryptedRegions, SnapshotError, saveGuestAddressSpace } from './memory/index.ts';
import { MsrFilter } from './msr-filter.ts';
import { engineLayout, type VmSnapshot, type VmState } from './snapshot/vm-snapshot.ts';
import { Processor } from './vcpu/processor.ts';
import { SoftwareVcpu } from './vcpu/vcpu.ts';
import { enableVmCap } from './vm-enable-cap.ts';
import type { VmParts } from './vm-parts.ts';

/** The TSS takes three pages, which must lie below 4 GiB (kernel, arch/x86/kvm/x86.c). */
const LAST_TSS_ADDRESS = 2 ** 32 - 3 * 4096;

/** The Kvm object that a VM belongs to. */
export interface SoftwareVmOwner {
  /** The VM's descriptor was closed. */
  readonly closed: () => void;
  /** SnapshotError where the machine isn't this VM's alone. */
  readonly saveMachine: () => MachineState;
}

/** A VM of the software KVM. Everything here belongs to the thread of its Kvm object. */
export class SoftwareVm implements Vm {
  readonly handle: VmHandle;
  readonly #parts: VmParts;
  readonly #regions: EncryptedRegions;
  readonly #vcpus = new Map<number, SoftwareVcpu>();
  readonly #processors: Processor[] = [];
  readonly #closed: () => void;
  readonly #saveMachine: () => MachineState;
  #isOpen = true;
  #openVcpus = 0;

  constructor(handle: VmHandle, parts: VmParts, { closed, saveMachine }: SoftwareVmOwner) {
    this.handle = handle;
    this.#parts = parts;
    this.#closed = closed;
    this.#saveMachine = saveMachine;
    this.#regions = parts.host.createEncryptedRegions(parts.space);
    parts.space.onMappingChange(() => parts.core().mappingsChanged());
  }

  checkExtension(cap: number): number {
    return checkExtension(cap, this.handle.type);
  }

  enableCap(cap: number, args: readonly U64[] = [], flags = 0): void {
    const { settings, controllers } = this.#parts;
    enableVmCap({ settings, controllers }, cap, args, flags);
  }

  setUserMemoryRegion(region: MemoryRegion): void {
    this.#parts.space.setUserMemoryRegion(region);
  }

  setUserMemoryRegion2(region: MemoryRegion2): void {
    this.#parts.space.setUserMemoryRegion2(region);
  }

  createGuestMemfd(size: U64, flags: U64 = 0): GuestMemfd {
    return this.#parts.space.createGuestMemfd(size, flags);
  }

  setMemoryAttributes(gpa: U64, size: U64, attributes: U64, flags: U64 = 0): void {
    this.#parts.space.setMemoryAttributes(gpa, size, attributes, flags);
  }

  memoryEncryptOp(command: SevCommand): void {
    this.#parts.sev.execute(command);
  }

  /** SEV is always there. */
  probeMemoryEncrypt(): void {}

  registerEncryptedRegion(hva: U64, size: U64): void {
    this.#regions.register(hva, size);
  }

  unregisterEncryptedRegion(hva: U64, size: U64): void {
    this.#regions.unregister(hva, size);
  }

  createIrqchip(): void {
    this.#parts.controllers.createIrqchip(this.#vcpus.size);
  }

  createPit2(flags = 0): void {
    this.#parts.controllers.createPit2(flags);
  }

  /** Only its rules: this processor runs real mode by itself and needs no memory for it. */
  setTssAddress(gpa: number): void {
    if (gpa > LAST_TSS_ADDRESS) throw failure('KVM_SET_TSS_ADDR', ERRNO.EINVAL);
  }

  /** Only its rules, as above. */
  setIdentityMapAddress(_gpa: number): void {
    if (this.#vcpus.size > 0) throw failure('KVM_SET_IDENTITY_MAP_ADDR', ERRNO.EINVAL, 'there is a vCPU');
  }

  irqLine(gsi: number, level: 0 | 1): void {
    this.#parts.controllers.setIrqLine(gsi, level);
  }

  irqfd(eventFd: number, gsi: number, flags = 0, resampleFd = 0): void {
    this.#parts.controllers.irqfds.set(eventFd, gsi, flags, resampleFd);
  }

  ioeventfd(eventFd: number, address: U64, length: number, flags = 0, datamatch: U64 = 0): void {
    this.#parts.controllers.ioeventfds.set(eventFd, address, length, flags, datamatch);
  }

  signalMsi(address: U64, data: number): number {
    return this.#parts.controllers.signalMsi(address, data);
  }

  setMsrFilter(flags: number, ranges: readonly MsrFilterRange[]): void {
    this.#parts.settings.msrFilter = new MsrFilter(flags, ranges);
  }

  getClock(): bigint {
    return BigInt(Math.floor(this.#parts.clock.now()));
  }

  setClock(nanoseconds: bigint): void {
    this.#parts.clock.set(Number(nanoseconds));
    for (const vcpu of this.#vcpus.values()) vcpu.clockChanged();
  }

  getDirtyLog(slot: number, pages: number): Uint8Array {
    return this.#parts.space.takeDirtyLog(slot, pages);
  }

  setBootCpuId(id: number): void {
    if (this.#vcpus.size > 0) throw failure('KVM_SET_BOOT_CPU_ID', ERRNO.EBUSY);
    if (id < 0 || id > MAX_VCPU_IDS) throw failure('KVM_SET_BOOT_CPU_ID', ERRNO.EINVAL);
    this.#parts.settings.bootCpuId = id;
  }

  createVcpu(id: number): Vcpu {
    const call = 'KVM_CREATE_VCPU';
    const { settings } = this.#parts;
    if (id < 0 || id >= (settings.maxVcpuIds || MAX_VCPU_IDS)) throw failure(call, ERRNO.EINVAL, `vCPU id ${id}`);
    if (this.#vcpus.size >= MAX_VCPUS) throw failure(call, ERRNO.EINVAL, `${MAX_VCPUS} vCPUs are the most`);
    if (this.#vcpus.has(id)) throw failure(call, ERRNO.EEXIST);
    return this.#createVcpu(id);
  }

  #createVcpu(id: number, savedFd?: number): SoftwareVcpu {
    const { settings, host } = this.#parts;
    const processor = new Processor(this.#parts, id);
    this.#processors.push(processor);
    const fd = host.descriptors.open(processor, savedFd);
    this.#openVcpus += 1;
    const vcpu = new SoftwareVcpu({ fd, id }, this.#parts, processor, () => {
      host.descriptors.close(fd);
      this.#openVcpus -= 1;
      this.#release();
    });
    this.#vcpus.set(id, vcpu);
    settings.createdVcpus += 1;
    return vcpu;
  }

  /** KvmError EBADF for a handle of another Kvm object, or of a vCPU that was closed. */
  openVcpu(handle: VcpuHandle): Vcpu {
    const vcpu = this.#vcpus.get(handle.id);
    if (vcpu === undefined || vcpu.handle.fd !== handle.fd) throw failure('openVcpu', ERRNO.EBADF);
    return vcpu;
  }

  watchViews(): void {
    this.#parts.space.watchViews();
  }

  takeViewFindings(): readonly ViewFinding[] {
    return this.#parts.space.watch?.take() ?? [];
  }

  /**
   * The VM as it stands between two exits, with the machine that is its own. Costs a copy of the memory that is in use.
   * SnapshotError: another VM is there, an exit waits for its answer, the launch is being measured, an eventfd is a
   * line or doorbell, a vCPU was closed. Not in the port.
   */
  save(): VmSnapshot {
    const { type, settings, controllers, clock, sev, space } = this.#parts;
    const { boundEventFds } = controllers;
    if (boundEventFds > 0) throw new SnapshotError(`${boundEventFds} eventfds are bound to the VM`);
    if (this.#openVcpus < this.#vcpus.size) throw new SnapshotError('a vCPU was closed');
    const vcpus = [...this.#vcpus.values()].map((vcpu) => vcpu.state());
    const vm: VmState = {
      fd: this.handle.fd,
      type,
      settings: settings.state(),
      controllers: controllers.state(),
      clockStart: clock.start,
      sev: sev.state(),
      space: saveGuestAddressSpace(space),
      encryptedRegions: this.#regions.all(),
      watchesViews: space.watch !== null,
      vcpus,
    };
    return { engine: engineLayout(), machine: this.#saveMachine(), vm };
  }

  /** Goes on as a saved VM, whose memory is there already. */
  resume(state: VmState): void {
    const { settings, controllers, clock, sev } = this.#parts;
    settings.resume(state.settings);
    controllers.resume(state.controllers);
    clock.resume(state.clockStart);
    sev.resume(state.sev);
    for (const { hva, size } of state.encryptedRegions) this.#regions.register(hva, size);
    for (const vcpu of state.vcpus) this.#createVcpu(vcpu.id, vcpu.fd);
    // All are there first: messages between local APICs find them.
    for (const vcpu of state.vcpus) this.#vcpus.get(vcpu.id)?.resume(vcpu);
    if (state.watchesViews) this.watchViews();
  }

  /** The vCPUs in the order of their making. Not in the port. */
  get vcpus(): readonly SoftwareVcpu[] {
    return [...this.#vcpus.values()];
  }

  /** See GuestAddressSpace.peek. Not in the port. */
  peek(gfn: number, side: View, view: View): Uint8Array | null {
    return this.#parts.space.peek(gfn, side, view);
  }

  /** See GuestAddressSpace.clearAtFirstUse. Not in the port. */
  clearAtFirstUse(gfn: number, view: View): void {
    this.#parts.space.clearAtFirstUse(gfn, view);
  }

  /** See GuestAddressSpace.viewInUse. Not in the port. */
  viewInUse(gfn: number, side: View): View | null {
    return this.#parts.space.viewInUse(gfn, side);
  }

  /** A VM lives as long as a descriptor of it or of one of its vCPUs is open; its vCPUs live as long as it. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#closed();
    this.#release();
  }

  #release(): void {
    if (this.#isOpen || this.#openVcpus > 0) return;
    for (const processor of this.#processors) processor.close();
    this.#parts.controllers.irqfds.close();
    this.#regions.close();
    this.#parts.space.close();
    this.#parts.sev.close();
  }
}
