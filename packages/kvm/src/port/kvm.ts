import type { EventFd } from './event-fd.ts';
import type { HostMemory } from './host-memory.ts';
import type { Pinning } from './pinning.ts';
import type { Kicker, KickTarget } from './vcpu.ts';
import type { CpuidEntry } from './vcpu-state.ts';
import type { Vm, VmHandle } from './vm.ts';

/** Which KVM stands behind the port. */
export interface BackendInfo {
  readonly backend: 'linux' | 'software';
  /** The kernel release whose rules it follows, e.g. `6.12.117`; the software KVM declares one. */
  readonly kernel: string;
  /** How it virtualizes: `svm`, `vmx`, `pvm` (software paging), `wasm`, or `unknown`. */
  readonly engine: string;
}

/**
 * The KVM user API (Documentation/virt/kvm/api.rst) as one port. Every call throws KvmError with the errno.
 *
 * A Kvm object and all that it makes belong to one thread. Kickers go to other threads in both backends; VMs, vCPUs and
 * memory only in the linux one.
 */
export interface Kvm {
  readonly info: BackendInfo;

  apiVersion(): number;
  /** KVM_CHECK_EXTENSION on /dev/kvm: 0 where unknown. */
  checkExtension(cap: number): number;
  supportedCpuid(): readonly CpuidEntry[];
  emulatedCpuid(): readonly CpuidEntry[];
  msrIndices(): readonly number[];
  featureMsrIndices(): readonly number[];
  vcpuMmapBytes(): number;

  /** KVM_X86_*_VM type number. Errors: EINVAL for a type this KVM doesn't have. */
  createVm(type: number): Vm;
  openVm(handle: VmHandle): Vm;
  /** For any thread. TypeError for a target of another backend. */
  openKicker(target: KickTarget): Kicker;
  /** What irqfd and ioeventfd signal through. Errors: EMFILE. */
  createEventFd(): EventFd;

  /** Anonymous memory, page-aligned; `hugePages` advises transparent huge pages. Errors: ENOMEM. */
  allocate(size: number, options?: { readonly hugePages?: boolean }): HostMemory;
  /** A memfd mapped whole. */
  allocateMemfd(name: string, size: number, options?: { readonly hugePages?: boolean }): HostMemory;
  /** Maps a guest_memfd that was created with MMAP. */
  mapGuestMemfd(fd: number, size: number): HostMemory;
  /** Real long-term pins: pages that can't be moved. */
  readonly pinning: Pinning;

  close(): void;
}
