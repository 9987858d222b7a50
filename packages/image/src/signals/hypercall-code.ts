import type { Evidence } from '@unpin/policy';
import { addressOf, codeEvidence, codeOccurrences, findWithin, type SignalInput } from './signal.ts';

/** KVM_HC_MAP_GPA_RANGE as 'mov eax, 12', then at most so many bytes until 'vmmcall'. */
const MOV_EAX_12 = Uint8Array.of(0xb8, 0x0c, 0x00, 0x00, 0x00);
const VMMCALL = Uint8Array.of(0x0f, 0x01, 0xd9);
const WITHIN = 24;
/** 'and edx, 0xff0': the attributes' page size and encryption bits. The ABI before upstream had none. */
const AND_EDX_MASK = Uint8Array.of(0x81, 0xe2, 0xf0, 0x0f, 0x00, 0x00);
const MASK_BEFORE = 32;

export interface HypercallSite {
  readonly address: bigint;
  /** Whether the upstream ABI's mask stands before it. */
  readonly masked: boolean;
  readonly evidence: Evidence;
}

/** Code that makes the hypercall KVM_HC_MAP_GPA_RANGE. Every kernel that reports has exactly one such place. */
export function findHypercallCode(input: SignalInput): HypercallSite[] {
  const sites: HypercallSite[] = [];
  for (const site of codeOccurrences(input, MOV_EAX_12)) {
    const { bytes } = site.region;
    const vmmcall = findWithin(bytes, VMMCALL, site.at + MOV_EAX_12.length, site.at + WITHIN);
    if (vmmcall === undefined) continue;
    const masked = findWithin(bytes, AND_EDX_MASK, site.at - MASK_BEFORE, site.at) !== undefined;
    const seen = `${masked ? 'and edx, 0xff0; ' : ''}mov eax, 12; vmmcall`;
    sites.push({ address: addressOf(site), masked, evidence: codeEvidence(input, 'hypercall-code', site, seen) });
  }
  return sites;
}
