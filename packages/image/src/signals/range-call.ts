import type { Evidence } from '@unpin/policy';
import { codeEvidence, findWithin, type SignalInput } from './signal.ts';
import type { StatusHook } from './status-hook.ts';

/** MSR_KVM_MIGRATION_CONTROL, 0x4b564d08, which kvm_init_platform writes after its last report. */
const MSR = Uint8Array.of(0x08, 0x4d, 0x56, 0x4b);
const FUNCTION_SIZE = 512;
/** The call stands shortly before the MSR's number. */
const CALL_BEFORE = 96;
/** 'shr rsi, 12': a count of pages. */
const SHR_RSI_12 = Uint8Array.of(0x48, 0xc1, 0xee, 0x0c);
/** 'sub rsi, imm32': end minus start, a size. */
const SUB_RSI = Uint8Array.of(0x48, 0x81, 0xee);

export interface RangeCall {
  readonly fixed: boolean;
  readonly evidence: Evidence;
}

/**
 * How kvm_init_platform passes the length of .bss..decrypted, its second argument: in pages (the kernel lacks the fix
 * of CVE-2023-53996) or in bytes. For kernels without BTF; undefined where neither form is seen.
 */
export function findRangeCall(input: SignalInput, hook: StatusHook): RangeCall | undefined {
  const { region, at } = hook.site;
  const msr = findWithin(region.bytes, MSR, at, at + FUNCTION_SIZE);
  if (msr === undefined) return undefined;
  const from = Math.max(at, msr - CALL_BEFORE);
  const shift = findWithin(region.bytes, SHR_RSI_12, from, msr);
  const subtract = findWithin(region.bytes, SUB_RSI, from, msr);
  const found = shift ?? subtract;
  if (found === undefined) return undefined;
  const seen = shift === undefined ? 'sub rsi, … before the call: a size' : 'shr rsi, 12 before the call: a page count';
  return { fixed: shift === undefined, evidence: codeEvidence(input, 'range-call', { region, at: found }, seen) };
}
