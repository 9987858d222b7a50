import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { UnpackMemory } from './unpack-memory.ts';
import { xxh32 } from './xxh32.ts';

const FLAG = {
  version: 0xc0,
  independent: 0x20,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  dictionary: 0x01,
};
const VERSION_1 = 0x40;
const STORED = 0x80000000;

/** One LZ4 frame (lz4_Frame_format.md, version 1), checksums verified; dictionaries are not supported. */
export function unpackLz4Frame(payload: Uint8Array, size: number): Uint8Array {
  const reader = new ByteReader(payload);
  const flags = reader.u8(4, 'lz4 FLG');
  if ((flags & FLAG.version) !== VERSION_1)
    throw new FormatError('unsupported', 'lz4 FLG', 4, 'frame version is not 1');
  if (flags & FLAG.dictionary) throw new FormatError('unsupported', 'lz4 FLG', 4, 'needs a dictionary');
  const blockMaximum = blockSize(reader.u8(5, 'lz4 BD'));
  let pos = 6;
  if (flags & FLAG.contentSize) {
    const announced = reader.size64(pos, 'lz4 content size');
    if (announced !== size)
      throw new FormatError('malformed', 'lz4 content size', pos, `${announced}, but ${size} expected`);
    pos += 8;
  }
  if (((xxh32(reader.slice(4, pos - 4, 'lz4 descriptor')) >>> 8) & 0xff) !== reader.u8(pos, 'lz4 HC'))
    throw new FormatError('malformed', 'lz4 HC', pos, 'checksum of the frame descriptor is wrong');
  pos += 1;

  const memory = new UnpackMemory({ unpacked: size, packed: Math.min(blockMaximum, payload.length), table: 0 });
  const { out } = memory;
  let done = 0;
  for (;;) {
    const word = reader.u32(pos, 'lz4 block size');
    pos += 4;
    if (word === 0) break;
    const length = word & ~STORED;
    const block = reader.slice(pos, length, 'lz4 block');
    const end = Math.min(done + blockMaximum, size);
    if (word >= STORED) {
      if (done + length > end) throw new FormatError('over-budget', 'lz4 block', pos, 'more than the announced size');
      out.set(block, done);
      done += length;
    } else {
      const window = flags & FLAG.independent ? done : 0;
      ({ done } = memory.decode('lz4', payload, { from: pos, to: pos + length, at: done, limit: end, window }));
    }
    pos += length;
    if (flags & FLAG.blockChecksum) {
      if (reader.u32(pos, 'lz4 block checksum') !== xxh32(block))
        throw new FormatError('malformed', 'lz4 block checksum', pos, 'does not match');
      pos += 4;
    }
  }
  if (done !== size)
    throw new FormatError('malformed', 'lz4 frame', pos, `unpacked to ${done} bytes, ${size} announced`);
  if (flags & FLAG.contentChecksum && reader.u32(pos, 'lz4 content checksum') !== xxh32(out))
    throw new FormatError('malformed', 'lz4 content checksum', pos, 'does not match');
  return out;
}

/** BD bits 4–6: 4 is 64 KiB, each next one four times as much, 7 is 4 MiB. */
function blockSize(descriptor: number): number {
  const code = (descriptor >> 4) & 7;
  if (code < 4) throw new FormatError('malformed', 'lz4 BD', 5, `block size code ${code}`);
  return 1 << (8 + 2 * code);
}
