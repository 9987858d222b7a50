/**
 * The x86 branch filter of xz ("BCJ"): the encoder turned the relative targets of CALL (E8) and JMP (E9) into absolute
 * ones, which compress better; this turns them back, in place. An operand counts as a target where its highest byte is
 * 00 or FF. Opcode bytes seen inside the last operand make that guess less likely; `mask` remembers them, newest in
 * bit 0, and the rules below must match the encoder's exactly.
 */
export function decodeBcjX86(bytes: Uint8Array, startAddress: number): void {
  const end = bytes.length - 4;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset & ~3, (bytes.length + (bytes.byteOffset & 3)) >> 2);
  let lastOpcode = -5;
  let mask = 0;
  for (let pos = 0; pos < end; pos++) {
    // Opcode bytes are rare: four bytes at once are passed over where none of them may be one.
    if (((bytes.byteOffset + pos) & 3) === 0) {
      let word = (pos + (bytes.byteOffset & 3)) >> 2;
      while (word < words.length && !mayHaveOpcode(words[word] as number)) word++;
      pos = word * 4 - (bytes.byteOffset & 3);
      if (pos >= end) break;
    }
    if (((bytes[pos] as number) & 0xfe) !== 0xe8) continue;
    const distance = pos - lastOpcode;
    lastOpcode = pos;
    if (distance > 3) mask = 0;
    else {
      mask = (mask << (distance - 1)) & 7;
      if (mask !== 0 && (isRefused(mask) || isSignByte(bytes[pos + 4 - suspectByte(mask)] as number))) {
        mask = ((mask << 1) & 7) | 1;
        continue;
      }
    }
    const top = bytes[pos + 4] as number;
    if (!isSignByte(top)) {
      mask = ((mask << 1) & 7) | 1;
      continue;
    }
    const next = (startAddress + pos + 5) | 0;
    let source =
      (top << 24) | ((bytes[pos + 3] as number) << 16) | ((bytes[pos + 2] as number) << 8) | (bytes[pos + 1] as number);
    let target: number;
    for (;;) {
      target = (source - next) | 0;
      if (mask === 0) break;
      const shift = suspectByte(mask) * 8;
      if (!isSignByte((target >>> (24 - shift)) & 0xff)) break;
      source = target ^ (2 ** (32 - shift) - 1);
    }
    bytes[pos + 1] = target;
    bytes[pos + 2] = target >> 8;
    bytes[pos + 3] = target >> 16;
    bytes[pos + 4] = (target >> 24) & 1 ? 0xff : 0;
    pos += 4;
    // The operand is used up: what follows starts afresh.
    lastOpcode = pos - 4;
  }
}

/** Whether a byte of the word is E8 or E9, with false alarms: the usual test for a zero byte, after an exclusive or. */
function mayHaveOpcode(word: number): boolean {
  const difference = (word & 0xfefefefe) ^ 0xe8e8e8e8;
  return ((difference - 0x01010101) & ~difference & 0x80808080) !== 0;
}

function isSignByte(byte: number): boolean {
  return byte === 0 || byte === 0xff;
}

/** The masks 3, 5, 6 and 7: two or more opcode bytes, not only one or a neighbouring low pair. */
function isRefused(mask: number): boolean {
  return mask === 3 || mask > 4;
}

/** Which byte of the operand, from its top, the oldest opcode byte of the mask makes doubtful. */
function suspectByte(mask: number): number {
  return mask === 0 ? 0 : mask === 1 ? 1 : mask < 4 ? 2 : 3;
}
