import { SevError } from '../port/errors.ts';
import type { GuestMemfd } from '../port/guest-memfd.ts';
import type { U64 } from '../port/u64.ts';
import type { Vcpu, VcpuHandle } from '../port/vcpu.ts';
import type { MemoryRegion, MemoryRegion2, MsrFilterRange, SevCommand, Vm, VmHandle } from '../port/vm.ts';
import { errnoName, failure } from '../sys/errno.ts';
import { closeFile } from '../sys/file.ts';
import { readGuarded } from '../sys/guarded-buffer.ts';
import { closeOnExec, ioctl, ioctlStruct, tryIoctlStruct } from '../sys/ioctl.ts';
import { addressOf, keepAlive } from '../sys/memory-view.ts';
import { SYSTEM_IOCTLS, VM_IOCTLS } from '../uapi/ioctls.ts';
import { SEV_CMD } from '../uapi/sev-structs.ts';
import * as layout from '../uapi/vm-structs.ts';
import { encodeEnableCap } from './enable-cap.ts';
import { LinuxGuestMemfd } from './guest-memfd.ts';
import { encodeMsrFilter } from './msr-filter.ts';
import { LinuxVcpu } from './vcpu.ts';

type StructCall = keyof typeof VM_IOCTLS;

/** A VM of the kernel's KVM. One that was opened from a handle leaves the file descriptor to its creator. */
export class LinuxVm implements Vm {
  readonly handle: VmHandle;
  readonly #fd: number;
  readonly #runBytes: number;
  readonly #ownsFd: boolean;
  /** KVM_IRQ_LINE comes with every edge of a line. */
  readonly #irqLevel = layout.IRQ_LEVEL.make();

  constructor(handle: VmHandle, runBytes: number, ownsFd: boolean) {
    this.handle = handle;
    this.#fd = handle.fd;
    this.#runBytes = runBytes;
    this.#ownsFd = ownsFd;
  }

  checkExtension(cap: number): number {
    return ioctl('KVM_CHECK_EXTENSION', this.#fd, SYSTEM_IOCTLS.KVM_CHECK_EXTENSION, cap);
  }

  enableCap(cap: number, args: readonly U64[] = [], flags = 0): void {
    this.#call('KVM_ENABLE_CAP', encodeEnableCap(cap, args, flags));
  }

  setUserMemoryRegion(region: MemoryRegion): void {
    const struct = layout.USERSPACE_MEMORY_REGION.make();
    struct.set('slot', region.slot).set('flags', region.flags).set('guest_phys_addr', region.gpa);
    struct.set('memory_size', region.size).set('userspace_addr', region.hva);
    this.#call('KVM_SET_USER_MEMORY_REGION', struct.bytes);
  }

  setUserMemoryRegion2(region: MemoryRegion2): void {
    const struct = layout.USERSPACE_MEMORY_REGION2.make();
    struct.set('slot', region.slot).set('flags', region.flags).set('guest_phys_addr', region.gpa);
    struct.set('memory_size', region.size).set('userspace_addr', region.hva);
    struct.set('guest_memfd', region.guestMemfd).set('guest_memfd_offset', region.guestMemfdOffset);
    this.#call('KVM_SET_USER_MEMORY_REGION2', struct.bytes);
  }

  createGuestMemfd(size: U64, flags: U64 = 0): GuestMemfd {
    const struct = layout.CREATE_GUEST_MEMFD.make().set('size', size).set('flags', flags);
    const fd = this.#call('KVM_CREATE_GUEST_MEMFD', struct.bytes);
    // KVM makes it without close-on-exec; a child process would keep the guest's memory alive.
    closeOnExec(fd);
    return new LinuxGuestMemfd(fd, Number(size));
  }

  setMemoryAttributes(gpa: U64, size: U64, attributes: U64, flags: U64 = 0): void {
    const struct = layout.MEMORY_ATTRIBUTES.make().set('address', gpa).set('size', size);
    struct.set('attributes', attributes).set('flags', flags);
    this.#call('KVM_SET_MEMORY_ATTRIBUTES', struct.bytes);
  }

  memoryEncryptOp(command: SevCommand): void {
    const struct = SEV_CMD.make().set('id', command.id).set('sev_fd', command.sevFd);
    // Safety: the address is used by the call right below, and the buffer is kept reachable until it is back.
    if (command.data !== null) struct.set('data', addressOf(command.data));
    const result = tryIoctlStruct(this.#fd, VM_IOCTLS.KVM_MEMORY_ENCRYPT_OP, struct.bytes);
    keepAlive(command.data);
    if (result < 0) throw new SevError(command.name, -result, errnoName(-result), struct.get('error'));
  }

  probeMemoryEncrypt(): void {
    const result = tryIoctlStruct(this.#fd, VM_IOCTLS.KVM_MEMORY_ENCRYPT_OP, null);
    if (result < 0) throw failure('KVM_MEMORY_ENCRYPT_OP', -result);
  }

  registerEncryptedRegion(hva: U64, size: U64): void {
    this.#call('KVM_MEMORY_ENCRYPT_REG_REGION', layout.ENC_REGION.make().set('addr', hva).set('size', size).bytes);
  }

  unregisterEncryptedRegion(hva: U64, size: U64): void {
    this.#call('KVM_MEMORY_ENCRYPT_UNREG_REGION', layout.ENC_REGION.make().set('addr', hva).set('size', size).bytes);
  }

  createIrqchip(): void {
    ioctl('KVM_CREATE_IRQCHIP', this.#fd, VM_IOCTLS.KVM_CREATE_IRQCHIP);
  }

  createPit2(flags = 0): void {
    this.#call('KVM_CREATE_PIT2', layout.PIT_CONFIG.make().set('flags', flags).bytes);
  }

  setTssAddress(gpa: number): void {
    ioctl('KVM_SET_TSS_ADDR', this.#fd, VM_IOCTLS.KVM_SET_TSS_ADDR, gpa);
  }

  setIdentityMapAddress(gpa: number): void {
    const address = new BigUint64Array([BigInt(gpa)]);
    this.#call('KVM_SET_IDENTITY_MAP_ADDR', new Uint8Array(address.buffer));
  }

  irqLine(gsi: number, level: 0 | 1): void {
    this.#call('KVM_IRQ_LINE', this.#irqLevel.set('irq', gsi).set('level', level).bytes);
  }

  irqfd(eventFd: number, gsi: number, flags = 0, resampleFd = 0): void {
    const struct = layout.IRQFD.make().set('fd', eventFd).set('gsi', gsi);
    this.#call('KVM_IRQFD', struct.set('flags', flags).set('resamplefd', resampleFd).bytes);
  }

  ioeventfd(eventFd: number, address: U64, length: number, flags = 0, datamatch: U64 = 0): void {
    const struct = layout.IOEVENTFD.make().set('addr', address).set('len', length).set('fd', eventFd);
    this.#call('KVM_IOEVENTFD', struct.set('flags', flags).set('datamatch', datamatch).bytes);
  }

  signalMsi(address: U64, data: number): number {
    const whole = BigInt(address);
    const struct = layout.MSI.make().set('address_lo', Number(whole & 0xffff_ffffn));
    struct.set('address_hi', Number((whole >> 32n) & 0xffff_ffffn)).set('data', data);
    return this.#call('KVM_SIGNAL_MSI', struct.bytes);
  }

  setMsrFilter(flags: number, ranges: readonly MsrFilterRange[]): void {
    const { filter, bitmaps } = encodeMsrFilter(flags, ranges);
    this.#call('KVM_X86_SET_MSR_FILTER', filter);
    keepAlive(...bitmaps);
  }

  getClock(): bigint {
    const clock = layout.CLOCK_DATA.make();
    this.#call('KVM_GET_CLOCK', clock.bytes);
    return clock.getBig('clock');
  }

  setClock(nanoseconds: bigint): void {
    this.#call('KVM_SET_CLOCK', layout.CLOCK_DATA.make().set('clock', nanoseconds).bytes);
  }

  getDirtyLog(slot: number, pages: number): Uint8Array {
    return readGuarded(Math.ceil(pages / 64) * 8, (address) => {
      this.#call('KVM_GET_DIRTY_LOG', layout.DIRTY_LOG.make().set('slot', slot).set('dirty_bitmap', address).bytes);
    });
  }

  setBootCpuId(id: number): void {
    ioctl('KVM_SET_BOOT_CPU_ID', this.#fd, VM_IOCTLS.KVM_SET_BOOT_CPU_ID, id);
  }

  createVcpu(id: number): Vcpu {
    const fd = ioctl('KVM_CREATE_VCPU', this.#fd, VM_IOCTLS.KVM_CREATE_VCPU, id);
    return new LinuxVcpu({ fd, id }, this.#runBytes, true);
  }

  openVcpu(handle: VcpuHandle): Vcpu {
    return new LinuxVcpu(handle, this.#runBytes, false);
  }

  close(): void {
    if (this.#ownsFd) closeFile(this.#fd);
  }

  #call(name: StructCall, bytes: Uint8Array): number {
    return ioctlStruct(name, this.#fd, VM_IOCTLS[name], bytes);
  }
}
