const BASE = 65521;
/** So many sums of bytes fit a safe integer, and 32 bits, before they are reduced (RFC 1950). */
const STRETCH = 5552;

/** The Adler-32 checksum (RFC 1950). */
export function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let from = 0; from < bytes.length; from += STRETCH) {
    const to = Math.min(from + STRETCH, bytes.length);
    for (let i = from; i < to; i++) {
      a += bytes[i] as number;
      b += a;
    }
    a %= BASE;
    b %= BASE;
  }
  return ((b << 16) | a) >>> 0;
}
