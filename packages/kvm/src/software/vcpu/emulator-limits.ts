/**
 * Which instructions KVM's own emulator knows when they touch a device: on a real KVM the others end a run with an
 * emulation error, so they do here. Only x87 and SSE are told apart; the integer instructions are all known.
 */
const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** Moves between memory and XMM or MMX registers, MOVNTI: second opcode bytes behind 0F. */
const KNOWN_VECTOR_MOVES = new Set([0x10, 0x11, 0x28, 0x29, 0x2b, 0x6f, 0x7f, 0xe7, 0xc3, 0xae]);
/** Where 0F's second byte is a vector instruction's. */
const isVector = (opcode: number): boolean =>
  (opcode >= 0x10 && opcode <= 0x17) ||
  (opcode >= 0x28 && opcode <= 0x2f) ||
  (opcode >= 0x50 && opcode <= 0x7f) ||
  opcode === 0xc2 ||
  (opcode >= 0xc4 && opcode <= 0xc6) ||
  (opcode >= 0xd0 && opcode <= 0xff);

/** Whether KVM could do this instruction on a device's address. `bytes` from its first on; `bits` of the code. */
export function isEmulated(bytes: Uint8Array, bits: number): boolean {
  let at = 0;
  while (PREFIXES.has(bytes[at] ?? 0)) at += 1;
  if (bits === 64 && ((bytes[at] ?? 0) & 0xf0) === 0x40) at += 1;
  const opcode = bytes[at] ?? 0;
  const next = bytes[at + 1] ?? 0;
  if (opcode === 0x0f) return !isVector(next) || KNOWN_VECTOR_MOVES.has(next);
  if (opcode < 0xd8 || opcode > 0xdf) return true;
  // FNSTCW and FNSTSW.
  const operation = (next >>> 3) & 7;
  return (opcode === 0xd9 || opcode === 0xdd) && operation === 7 && next < 0xc0;
}
