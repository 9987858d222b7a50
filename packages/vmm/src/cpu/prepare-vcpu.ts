import type { CpuidEntry, Vcpu } from '@unpin/kvm';
import { type CpuEntry, entryRegs, entrySregs } from '../boot/cpu-entry.ts';
import { START_MSRS, startFpu, withVirtualWire } from './start-state.ts';

/**
 * Brings a fresh vCPU (with an in-kernel LAPIC) to the entry of a boot plan. CPUID comes first: KVM checks CR3 and
 * EFER against it, so a C bit in CR3 needs the leaf that says how wide addresses are.
 * @throws KvmError; Error where KVM refuses one of START_MSRS
 */
export function prepareVcpu(vcpu: Vcpu, cpuid: readonly CpuidEntry[], entry: CpuEntry): void {
  vcpu.setCpuid(cpuid);
  const accepted = vcpu.setMsrs(START_MSRS);
  const refused = START_MSRS[accepted];
  if (refused !== undefined) throw new Error(`KVM refuses MSR 0x${refused.index.toString(16)} at the start`);
  vcpu.setSregs(entrySregs(entry, vcpu.getSregs()));
  vcpu.setRegs(entryRegs(entry));
  vcpu.setFpu(startFpu());
  vcpu.setLapic(withVirtualWire(vcpu.getLapic()));
}
