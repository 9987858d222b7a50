import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { UnpackMemory } from './unpack-memory.ts';

/** Each block but the last unpacks to exactly this. */
const BLOCK = 8 << 20;
/** What cannot be packed becomes so much longer, at most (LZ4_compressBound). */
const MOST_PACKED = BLOCK + Math.floor(BLOCK / 255) + 16;

/**
 * LZ4's legacy frame (lz4_Frame_format.md, "Legacy frame"), which `lz4 -l` makes and the kernel's build uses: a magic,
 * then blocks with a 32-bit size each, and no end mark. The blocks end where `size` bytes have been unpacked.
 */
export function unpackLz4Legacy(payload: Uint8Array, size: number): Uint8Array {
  const reader = new ByteReader(payload);
  const packed = Math.min(MOST_PACKED, payload.length);
  const memory = new UnpackMemory({ unpacked: size, packed, table: 0 });
  let pos = 4;
  let done = 0;
  while (done < size) {
    const length = reader.u32(pos, 'lz4 block size');
    pos += 4;
    if (!reader.has(pos, length))
      throw new FormatError('truncated', 'lz4 block', pos, `${length} bytes announced, ${payload.length - pos} left`);
    const end = Math.min(done + BLOCK, size);
    const stretch = { from: pos, to: pos + length, at: done, limit: end, window: done };
    const { done: reached } = memory.decode('lz4', payload, stretch);
    if (reached !== end)
      throw new FormatError('malformed', 'lz4 block', pos, `unpacked to ${reached - done} bytes, not ${end - done}`);
    done = end;
    pos += length;
  }
  if (pos !== payload.length)
    throw new FormatError('malformed', 'lz4 frame', pos, `${payload.length - pos} bytes after the last block`);
  return memory.out;
}
