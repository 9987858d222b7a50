import type { MpState, Regs } from '@unpin/kvm';

const RFLAGS_IF = 1n << 9n;
/** KVM_MP_STATE_HALTED */
const HALTED = 3;

/**
 * Whether a vCPU can never run again by itself: halted with interrupts off. That is how a kernel without a way to
 * switch power off ends ("reboot: System halted"); with the in-kernel LAPIC no exit tells, so a machine asks after a
 * kick. Only an NMI could wake it, and no device here sends one. For guests whose registers the host can read.
 */
export function isParked(regs: Regs, mpState: MpState): boolean {
  return mpState === HALTED && (regs.rflags & RFLAGS_IF) === 0n;
}
