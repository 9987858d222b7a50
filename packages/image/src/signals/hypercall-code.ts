import type { Evidence } from '@unpin/policy';
import { addressOf, type CodeSite, codeEvidence, findLastWithin, type SignalInput } from './signal.ts';

/** KVM_HC_MAP_GPA_RANGE as 'mov eax, 12', at most so many bytes before 'vmmcall'. */
const MOV_EAX_12 = Uint8Array.of(0xb8, 0x0c, 0x00, 0x00, 0x00);
const BEFORE = 48;
/** The attributes' page size and encryption bits: what 'and r, imm32' keeps of them. The ABI before upstream had none. */
const MASK = Uint8Array.of(0xf0, 0x0f, 0x00, 0x00);
/** How far a compiler may put the mask before the number. */
const MASK_BEFORE = 32;

export interface HypercallSite {
  readonly address: bigint;
  /** Whether the upstream ABI's mask stands before it. */
  readonly masked: boolean;
  readonly evidence: Evidence;
}

/**
 * Code that makes the hypercall KVM_HC_MAP_GPA_RANGE. Every kernel that reports has exactly one such place. Compilers
 * put the number and the mask in either order.
 */
export function findHypercallCode(input: SignalInput): HypercallSite[] {
  const sites: HypercallSite[] = [];
  let previous: CodeSite | undefined;
  for (const site of input.instructions.get('vmmcall') ?? []) {
    const { region, at } = site;
    const { bytes } = region;
    // What stands before another hypercall is that one's.
    const from = Math.max(at - BEFORE, previous?.region === region ? previous.at : 0);
    previous = site;
    const number = findLastWithin(bytes, MOV_EAX_12, from, at);
    if (number === undefined) continue;
    const masked = hasMask(bytes, Math.max(from, number - MASK_BEFORE), at);
    const seen = `${masked ? 'and edx, 0xff0; ' : ''}mov eax, 12; vmmcall`;
    const place = { region, at: number };
    sites.push({ address: addressOf(place), masked, evidence: codeEvidence(input, 'hypercall-code', place, seen) });
  }
  return sites;
}

/** 'and r32, 0xff0': 81 /4 on a register, or 25 on eax. */
function hasMask(bytes: Uint8Array, from: number, to: number): boolean {
  let at = findLastWithin(bytes, MASK, from, to);
  while (at !== undefined) {
    const before = bytes[at - 1] ?? 0;
    if (before === 0x25 || (before >> 3 === 0xe0 >> 3 && bytes[at - 2] === 0x81)) return true;
    at = findLastWithin(bytes, MASK, from, at + MASK.length - 1);
  }
  return false;
}
