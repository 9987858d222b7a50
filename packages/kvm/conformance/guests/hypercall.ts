import type { RuleContext } from '../rule-context.ts';
import { asm64 } from './asm64.ts';
import type { Code } from './bytes.ts';

/** EBX of CPUID leaf 0 for `GenuineIntel`. */
const GENUINE = 0x756e_6547;

/** VMCALL on Intel, VMMCALL elsewhere: what this vendor's guests use. */
export function hypercallInstruction({ kvm }: RuleContext): Code {
  const vendor = kvm.supportedCpuid().find((leaf) => leaf.function === 0)?.ebx;
  return vendor === GENUINE ? asm64.vmcall : asm64.vmmcall;
}

/** Registers of a KVM hypercall (Documentation/virt/kvm/x86/hypercalls.rst): RAX number, RBX, RCX, RDX, RSI arguments. */
export function hypercall(ctx: RuleContext, nr: number, args: readonly (number | bigint)[]): Code {
  const [a0 = 0, a1 = 0, a2 = 0, a3 = 0] = args;
  return [
    ...asm64.movRbx(a0),
    ...asm64.movRcx(a1),
    ...asm64.movRdx(a2),
    ...asm64.movRsi(a3),
    ...asm64.movRax(nr),
    ...hypercallInstruction(ctx),
  ];
}
