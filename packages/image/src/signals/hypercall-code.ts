import type { Evidence } from '@unpin/policy';
import { addressOf, type CodeSite, codeEvidence, findLastWithin, type SignalInput } from './signal.ts';

/** KVM_HC_MAP_GPA_RANGE as 'mov eax, 12', at most so many bytes before 'vmmcall'. */
const MOV_EAX_12 = Uint8Array.of(0xb8, 0x0c, 0x00, 0x00, 0x00);
const BEFORE = 48;
/**
 * The encryption attribute stands in bit 4: the ABI before upstream passed it in bit 0. Compilers shift it there ('shl
 * rdx, 4'), and mask what they don't know to be one bit ('and edx, 0xff0').
 */
const SHIFT = [Uint8Array.of(0x48, 0xc1, 0xe2, 0x04), Uint8Array.of(0xc1, 0xe2, 0x04)];
const MASK = Uint8Array.of(0x81, 0xe2, 0xf0, 0x0f, 0x00, 0x00);
/** 'mov edx, 0x10': encrypted, as a constant. All of the guest's memory is reported so when it starts. */
const ENCRYPTED = Uint8Array.of(0xba, 0x10, 0x00, 0x00, 0x00);
/** How far a compiler may put the attribute before the number. */
const ATTRIBUTE_BEFORE = 32;

export interface HypercallSite {
  readonly address: bigint;
  /** How the encryption attribute is made: by the upstream ABI, by it as a constant, or otherwise. */
  readonly attribute: 'upstream' | 'constant' | 'other';
  readonly evidence: Evidence;
}

/**
 * Code that makes the hypercall KVM_HC_MAP_GPA_RANGE. Every kernel that reports has exactly one such place that makes
 * its attribute; compilers put number and attribute in either order.
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
    const attribute = attributeOf(bytes, Math.max(from, number - ATTRIBUTE_BEFORE), at);
    const seen = `${WRITTEN[attribute]}mov eax, 12; vmmcall`;
    const place = { region, at: number };
    sites.push({ address: addressOf(place), attribute, evidence: codeEvidence(input, 'hypercall-code', place, seen) });
  }
  return sites;
}

const WRITTEN = { upstream: 'shl rdx, 4; ', constant: 'mov edx, 0x10; ', other: '' } as const;

function attributeOf(bytes: Uint8Array, from: number, to: number): HypercallSite['attribute'] {
  const has = (pattern: Uint8Array): boolean => findLastWithin(bytes, pattern, from, to) !== undefined;
  if (has(MASK) || SHIFT.some(has)) return 'upstream';
  return has(ENCRYPTED) ? 'constant' : 'other';
}
