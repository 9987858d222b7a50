import type { Evidence } from '@unpin/policy';
import { ByteReader } from '../byte-reader.ts';
import { type CodeRegion, codeEvidence, codeOccurrences, type SignalInput } from './signal.ts';

/** SNP Page State Change, 0x80000010: the exit code that the GHCB specification gives it. */
const EXIT_CODE = Uint8Array.of(0x10, 0x00, 0x00, 0x80);
/** The call to what makes the exit, and VMGEXIT in it. */
const CALL_REACH = 160;
const CALL = 0xe8;
const CALL_SIZE = 5;
const CALLEE_REACH = 256;

/**
 * A page state change by a GHCB page, for many pages at once: the exit code 0x80000010 is put into a register, and soon
 * after VMGEXIT is made, here or in a function that is called. The number alone occurs elsewhere.
 */
export function findPageStateEvent(input: SignalInput): Evidence | undefined {
  const exits = new Map<CodeRegion, number[]>();
  for (const { region, at } of input.instructions.get('vmgexit') ?? [])
    exits.set(region, [...(exits.get(region) ?? []), at]);
  const exitsWithin = (region: CodeRegion, from: number, size: number): boolean =>
    (exits.get(region) ?? []).some((at) => at >= from && at < from + size);

  for (const site of codeOccurrences(input, EXIT_CODE)) {
    const { region, at } = site;
    if (!isMove(region.bytes, at)) continue;
    const reader = new ByteReader(region.bytes);
    let found = exitsWithin(region, at, CALL_REACH);
    for (let call = at + EXIT_CODE.length; !found && call < at + CALL_REACH; call++) {
      if (region.bytes[call] !== CALL || !reader.has(call, CALL_SIZE)) continue;
      const target = call + CALL_SIZE + (reader.u32(call + 1, 'rel32') | 0);
      found = exitsWithin(region, target, CALLEE_REACH);
    }
    if (found)
      return codeEvidence(input, 'page-state-event', { region, at: at - 1 }, 'mov …, 0x80000010; call to rep vmmcall');
  }
  return undefined;
}

/** Whether the four bytes are the immediate of 'mov r32, imm32', or of a store of it. */
function isMove(bytes: Uint8Array, at: number): boolean {
  const before = bytes[at - 1] ?? 0;
  if (before >= 0xb8 && before <= 0xbf) return true;
  // c7 /0 with a displacement of 0, 1 or 4 bytes, with or without SIB.
  for (const size of [2, 3, 4, 6, 7]) if (bytes[at - size] === 0xc7) return true;
  return false;
}
