const P1 = 0x9e3779b1 | 0;
const P2 = 0x85ebca77 | 0;
const P3 = 0xc2b2ae3d | 0;
const P4 = 0x27d4eb2f | 0;
const P5 = 0x165667b1 | 0;

/** XXH32 with seed 0 (xxhash_spec.md), LZ4 frames' checksum. */
export function xxh32(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length;
  let pos = 0;
  let hash: number;
  if (length >= 16) {
    let a = (P1 + P2) | 0;
    let b = P2;
    let c = 0;
    let d = -P1 | 0;
    for (; pos + 16 <= length; pos += 16) {
      a = round(a, view.getInt32(pos, true));
      b = round(b, view.getInt32(pos + 4, true));
      c = round(c, view.getInt32(pos + 8, true));
      d = round(d, view.getInt32(pos + 12, true));
    }
    hash = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0;
  } else hash = P5;
  hash = (hash + length) | 0;
  for (; pos + 4 <= length; pos += 4)
    hash = Math.imul(rotate((hash + Math.imul(view.getInt32(pos, true), P3)) | 0, 17), P4);
  for (; pos < length; pos++) hash = Math.imul(rotate((hash + Math.imul(view.getUint8(pos), P5)) | 0, 11), P1);
  hash = Math.imul(hash ^ (hash >>> 15), P2);
  hash = Math.imul(hash ^ (hash >>> 13), P3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, P2)) | 0, 13), P1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
