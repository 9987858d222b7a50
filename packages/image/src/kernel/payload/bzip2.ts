import { FormatError } from '../../format-error.ts';
import { BitReader } from './bit-reader.ts';
import { readBzip2Block } from './bzip2-block.ts';
import { crc32Bzip2 } from './crc32-bzip2.ts';

/** Digits of pi begin a block, those of its square root end the stream; both are 48 bits long. */
const BLOCK = [0x314159, 0x265359] as const;
const END = [0x177245, 0x385090] as const;
const HUNDRED_KB = 100_000;
/** After so many equal bytes a number of further ones follows. */
const RUN = 4;

/** One bzip2 stream (as bzip2 1.0 writes it), the checksums of its blocks and the stream's own verified. */
export function unpackBzip2(payload: Uint8Array, size: number): Uint8Array {
  const level = (payload[3] ?? 0) - 0x30;
  if (level < 1 || level > 9) throw new FormatError('malformed', 'bzip2 header', 3, `block size ${level}`);
  const most = level * HUNDRED_KB;
  const reader = new BitReader(payload, 4, 'bzip2 stream');
  const work = new Uint32Array(most);
  const out = Buffer.allocUnsafeSlow(size);
  let done = 0;
  let streamCrc = 0;
  for (;;) {
    const at = reader.position;
    const [high, low] = [reader.bits(24), reader.bits(24)];
    const crc = ((reader.bits(16) << 16) | reader.bits(16)) >>> 0;
    if (high === END[0] && low === END[1]) {
      if (crc !== streamCrc) throw new FormatError('malformed', 'bzip2 stream', at, 'its checksum is wrong');
      break;
    }
    if (high !== BLOCK[0] || low !== BLOCK[1])
      throw new FormatError('malformed', 'bzip2 block', at, 'neither a block nor the end begins here');
    const { first, count } = readBzip2Block(reader, most, work);
    const end = expand(work, first, count, out, done, at);
    if (crc32Bzip2(out.subarray(done, end)) !== crc)
      throw new FormatError('malformed', 'bzip2 block', at, 'its checksum is wrong');
    streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ crc) >>> 0;
    done = end;
  }
  if (done !== size)
    throw new FormatError('malformed', 'bzip2 stream', reader.position, `unpacked to ${done} bytes, ${size} announced`);
  return out;
}

/** Follows the chain of a block and writes its bytes, runs expanded. @returns the position after the last byte written */
function expand(work: Uint32Array, first: number, count: number, out: Uint8Array, from: number, at: number): number {
  let dst = from;
  let next = first;
  let last = -1;
  let equal = 0;
  for (let i = 0; i < count; i++) {
    const word = work[next] as number;
    next = word >>> 8;
    const byte = word & 0xff;
    if (equal === RUN) {
      if (dst + byte > out.length) throw full(at);
      out.fill(last, dst, dst + byte);
      dst += byte;
      equal = 0;
      last = -1;
      continue;
    }
    if (dst >= out.length) throw full(at);
    out[dst++] = byte;
    equal = byte === last ? equal + 1 : 1;
    last = byte;
  }
  return dst;
}

function full(at: number): FormatError {
  return new FormatError('over-budget', 'bzip2 block', at, 'unpacks to more than the announced size');
}
