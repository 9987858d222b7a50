/**
 * The bytes that kernels are mostly made of, commonest first (counted in vmlinux of Linux 6.1 to 7.2): code, pointers,
 * and letters of names. All others are rarer than one in five hundred.
 */
const COMMON = Buffer.from(
  '00ccff4890fe8902018b5f83740f2465e8084c2041fd05824473c71072c085038161e97069756366496f646c046e841815540c40456d288d31f03080d0685067',
  'hex',
);
/** Node searches patterns below eight bytes by their first byte alone, as fast as memory is read. */
const MOST_ANCHOR = 7;
/** The anchor's other bytes keep most false alarms away. */
const LEAST_ANCHOR = 4;

/** Rarity of each byte value: its place in COMMON, or behind all of them. */
const RANK = Uint8Array.from({ length: 256 }, (_, byte) => {
  const place = COMMON.indexOf(byte);
  return place < 0 ? COMMON.length : place;
});

/**
 * Offsets of a pattern in bytes, in order. The search is for a short part of it that begins with its rarest byte:
 * otherwise patterns that begin with a common one take ten times as long, and there are dozens in 60 MB.
 * @param most after so many it stops
 */
export function findBytes(bytes: Uint8Array, pattern: Uint8Array, most: number): number[] {
  const found: number[] = [];
  if (pattern.length === 0) return found;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const before = anchorOf(pattern);
  const anchor = pattern.subarray(before, before + MOST_ANCHOR);
  for (let at = buffer.indexOf(anchor, before); at >= 0 && found.length < most; at = buffer.indexOf(anchor, at + 1)) {
    const start = at - before;
    if (buffer.compare(pattern, 0, pattern.length, start, start + pattern.length) === 0) found.push(start);
  }
  return found;
}

/** Where the rarest byte is that enough others follow. */
function anchorOf(pattern: Uint8Array): number {
  let best = 0;
  for (let at = 1; at + LEAST_ANCHOR <= pattern.length; at++)
    if ((RANK[pattern[at] as number] as number) > (RANK[pattern[best] as number] as number)) best = at;
  return best;
}
