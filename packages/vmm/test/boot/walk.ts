/** A page walk as the processor does it, written without the code under test: AMD64 APM 2, 5.3.3. */
export interface Walked {
  readonly gpa: number;
  readonly cBit: boolean;
  /** Whether each table entry on the way, and CR3, had the C bit. */
  readonly walkPrivate: boolean;
}

/** @param u64 reads guest-physical memory without the C bit */
export function walk(u64: (gpa: number) => bigint, cr3: bigint, va: number, cBit: number | null): Walked | undefined {
  const mask = cBit === null ? 0n : 1n << BigInt(cBit);
  const address = BigInt(va);
  let walkPrivate = (cr3 & mask) === mask;
  let table = cr3 & ~mask & ~0xfffn;
  for (const shift of [39n, 30n, 21n, 12n]) {
    const entry = u64(Number(table + ((address >> shift) & 0x1ffn) * 8n));
    if ((entry & 1n) === 0n) return undefined;
    const frame = entry & ~mask & 0x000f_ffff_ffff_f000n;
    const large = shift === 30n || shift === 21n ? (entry & 0x80n) !== 0n : shift === 12n;
    if (large) {
      const offset = address & ((1n << shift) - 1n);
      return {
        gpa: Number((frame & ~((1n << shift) - 1n)) + offset),
        cBit: mask !== 0n && (entry & mask) === mask,
        walkPrivate,
      };
    }
    walkPrivate = walkPrivate && (entry & mask) === mask;
    table = frame;
  }
  return undefined;
}

/** Reads 64-bit words of a plan's pieces; what no piece has is zero. */
export function wordsOf(
  pieces: readonly { readonly gpa: number; readonly bytes: Uint8Array }[],
): (gpa: number) => bigint {
  return (gpa) => {
    const holder = pieces.find((piece) => gpa >= piece.gpa && gpa + 8 <= piece.gpa + piece.bytes.length);
    if (holder === undefined) return 0n;
    return new DataView(holder.bytes.buffer, holder.bytes.byteOffset).getBigUint64(gpa - holder.gpa, true);
  };
}
