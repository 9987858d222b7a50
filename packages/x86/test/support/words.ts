/** A 64-bit word of the state block at a byte address. */
export function readWord(words: Uint32Array, address: number): bigint {
  return (BigInt(words[address / 4 + 1] ?? 0) << 32n) | BigInt(words[address / 4] ?? 0);
}

export function writeWord(words: Uint32Array, address: number, value: bigint): void {
  words[address / 4] = Number(BigInt.asUintN(32, value));
  words[address / 4 + 1] = Number(BigInt.asUintN(32, value >> 32n));
}
