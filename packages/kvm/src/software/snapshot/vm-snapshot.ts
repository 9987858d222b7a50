import { crc32 } from 'node:zlib';
import { layout } from '@unpin/x86';
import type { InterruptControllersState } from '../irq/index.ts';
import type { MachineState } from '../machine-state.ts';
import type { GuestAddressSpaceState } from '../memory/index.ts';
import type { SevVmState } from '../sev/sev-vm.ts';
import type { VcpuState } from '../vcpu/processor-state.ts';
import type { VmSettingsState } from '../vm-settings.ts';

/** A VM without its host. */
export interface VmState {
  readonly fd: number;
  /** KVM_X86_*_VM. */
  readonly type: number;
  readonly settings: VmSettingsState;
  readonly controllers: InterruptControllersState;
  /** When its kvm-clock was 0, in the machine's time. */
  readonly clockStart: number;
  readonly sev: SevVmState;
  readonly space: GuestAddressSpaceState;
  /** KVM_MEMORY_ENCRYPT_REG_REGION: pinned anew where it is restored. */
  readonly encryptedRegions: readonly { readonly hva: number; readonly size: number }[];
  /** Pages of watched views are told of again (`watchViews`). */
  readonly watchesViews: boolean;
  readonly vcpus: readonly VcpuState[];
}

/**
 * An emulated VM between two exits, with the machine around it: plain data, structured-cloneable.
 *
 * It is no more confidential than the VM was: encrypted frames are in it as they lie in DRAM, and the keys beside them.
 * Keep it as you would keep the guest's memory. Pins of user space's own and eventfds are not in it.
 */
export interface VmSnapshot {
  /** `engineLayout` of whoever made it. */
  readonly engine: number;
  readonly machine: MachineState;
  readonly vm: VmState;
}

/** Tells builds apart whose processors keep their registers in other places. */
export function engineLayout(): number {
  return crc32(JSON.stringify(Object.entries(layout).sort(([a], [b]) => (a < b ? -1 : 1))));
}
