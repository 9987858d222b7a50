import type { Evidence } from '@unpin/policy';
import { ByteReader } from '../byte-reader.ts';
import { type CodeRegion, type CodeSite, codeEvidence, codeOccurrences, type SignalInput } from './signal.ts';

/** SNP Page State Change, 0x80000010: the exit code that the GHCB specification gives it. */
const EXIT_CODE = Uint8Array.of(0x10, 0x00, 0x00, 0x80);
/** The call to what makes the exit, and VMGEXIT in it. */
const CALL_REACH = 160;
const CALL = 0xe8;
const CALL_SIZE = 5;
const CALLEE_REACH = 256;

/** The same in two steps, as clang does it: 'mov r, 0x80000000' and 'add r, 0x10'. */
const TWO_STEPS = [0x48, 0x49].map((rex) => Uint8Array.of(0x00, 0x00, 0x00, 0x80, rex, 0x83));

/**
 * A page state change by a GHCB page, for many pages at once: the exit code 0x80000010 is put into a register, and soon
 * after VMGEXIT is made, here or in a function that is called. The number alone occurs elsewhere.
 */
export function findPageStateEvent(input: SignalInput): Evidence | undefined {
  const exits = exitsByRegion(input);
  for (const { region, at } of [...oneStep(input), ...twoSteps(input)])
    if (leadsToExit(exits.get(region) ?? [], region, at))
      return codeEvidence(input, 'page-state-event', { region, at: at - 1 }, 'mov …, 0x80000010; to rep vmmcall');
  return undefined;
}

/** Where the number is the immediate of 'mov r32, imm32', or of a store of it. */
function oneStep(input: SignalInput): CodeSite[] {
  return codeOccurrences(input, EXIT_CODE).filter(({ region: { bytes }, at }) => {
    const before = bytes[at - 1] ?? 0;
    // c7 /0 with a displacement of 0, 1 or 4 bytes, with or without SIB.
    return (before >= 0xb8 && before <= 0xbf) || [2, 3, 4, 6, 7].some((size) => bytes[at - size] === 0xc7);
  });
}

function twoSteps(input: SignalInput): CodeSite[] {
  return TWO_STEPS.flatMap((steps) => codeOccurrences(input, steps)).filter(({ region: { bytes }, at }) => {
    const [move, add, sum] = [bytes[at - 1] ?? 0, bytes[at + 6] ?? 0, bytes[at + 7]];
    return move >> 3 === 0xb8 >> 3 && add >> 3 === 0xc0 >> 3 && (move & 7) === (add & 7) && sum === 0x10;
  });
}

/** Whether VMGEXIT stands soon after a place, or in a function that is called there. */
function leadsToExit(exits: readonly number[], region: CodeRegion, at: number): boolean {
  const isWithin = (from: number, size: number): boolean => (exits[firstFrom(exits, from)] ?? Infinity) < from + size;
  if (isWithin(at, CALL_REACH)) return true;
  const reader = new ByteReader(region.bytes);
  for (let call = at + EXIT_CODE.length; call < at + CALL_REACH; call++) {
    if (region.bytes[call] !== CALL || !reader.has(call, CALL_SIZE)) continue;
    if (isWithin(call + CALL_SIZE + (reader.u32(call + 1, 'rel32') | 0), CALLEE_REACH)) return true;
  }
  return false;
}

function exitsByRegion(input: SignalInput): Map<CodeRegion, number[]> {
  const exits = new Map<CodeRegion, number[]>();
  for (const { region, at } of input.instructions.get('vmgexit') ?? []) {
    const known = exits.get(region);
    if (known === undefined) exits.set(region, [at]);
    else known.push(at);
  }
  return exits;
}

/** Index of the first of some ascending numbers that is not below a value. */
function firstFrom(ascending: readonly number[], value: number): number {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((ascending[middle] ?? 0) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
