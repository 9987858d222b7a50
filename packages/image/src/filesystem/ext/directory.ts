import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { updateCrc32c } from '../crc32c.ts';
import type { ExtVolume } from './ext-volume.ts';
import { inlineParts } from './inline-data.ts';
import { FLAG_INDEXED, FLAG_INLINE_DATA, type Inode } from './inode.ts';

/** Linux, Documentation/filesystems/ext4, directory entries. */
const HEADER_BYTES = 8;
const TAIL_BYTES = 12;
const TAIL_TYPE = 0xde;
/** An inline directory begins with its parent's number, in place of the first two entries. */
const INLINE_PARENT_BYTES = 4;
/** Read at once: few reads for a large directory, little too much for a small one. */
const PIECE_BYTES = 2 ** 16;

const WHAT = 'ext directory';

export interface NamedInode {
  readonly name: Uint8Array;
  readonly inode: number;
}

/**
 * The entries of a directory, `.` and `..` left out, in the order in which they lie. An index, if it has one, looks like
 * unused entries and is passed over: GRUB reads directories so, and it is what decides.
 * @throws FormatError malformed; encrypted is the caller's to find
 */
export async function* directoryEntries(
  volume: ExtVolume,
  directory: Inode,
  content: () => Promise<ByteSource>,
): AsyncGenerator<NamedInode> {
  if ((directory.flags & FLAG_INLINE_DATA) !== 0) {
    const [first, rest] = inlineParts(directory);
    yield* entriesOf(volume, first.subarray(INLINE_PARENT_BYTES), directory.place);
    yield* entriesOf(volume, rest, directory.place);
    return;
  }
  const { blockBytes } = volume.superblock;
  const source = await content();
  if (source.size % blockBytes !== 0)
    throw new FormatError('malformed', WHAT, directory.place, `${source.size} bytes are no whole blocks`);
  for (let piece = 0; piece < source.size; piece += PIECE_BYTES) {
    const bytes = await source.read(piece, Math.min(PIECE_BYTES, source.size - piece));
    for (let at = 0; at < bytes.length; at += blockBytes) {
      const block = bytes.subarray(at, at + blockBytes);
      check(directory, block, piece + at);
      yield* entriesOf(volume, block, piece + at);
    }
  }
}

function* entriesOf(volume: ExtVolume, bytes: Uint8Array, place: number): Generator<NamedInode> {
  const reader = new ByteReader(bytes);
  for (let at = 0; at < bytes.length; ) {
    volume.budget.takeSteps(1, WHAT, place + at);
    const length = recordLength(reader.u16(at + 4, WHAT), volume.superblock.blockBytes);
    if (length < HEADER_BYTES || length % 4 !== 0 || at + length > bytes.length)
      throw new FormatError('malformed', WHAT, place + at, `an entry of ${length} bytes`);
    const inode = reader.u32(at, WHAT);
    if (inode !== 0) {
      const { hasFileTypes } = volume.superblock;
      const nameBytes = hasFileTypes ? reader.u8(at + 6, WHAT) : reader.u16(at + 6, WHAT);
      const name = reader.slice(at + HEADER_BYTES, nameBytes, WHAT);
      if (nameBytes === 0 || nameBytes > 255 || HEADER_BYTES + nameBytes > length || name.some(isForbidden))
        throw new FormatError('malformed', WHAT, place + at, 'a name that can be none');
      if (!isDots(name)) yield { name, inode };
    }
    at += length;
  }
}

/** With blocks of 64 KiB a length has more bits than fit: the lowest two, always zero, stand for the highest. */
function recordLength(stored: number, blockBytes: number): number {
  if (blockBytes < 65536) return stored;
  if (stored === 65535 || stored === 0) return 65536;
  return (stored & 65532) | ((stored & 3) << 16);
}

function isForbidden(byte: number): boolean {
  return byte === 0 || byte === 0x2f;
}

function isDots(name: Uint8Array): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
}

/** A block of entries ends with its checksum, in what looks like an unused entry. Those of an index have theirs elsewhere. */
function check(directory: Inode, block: Uint8Array, place: number): void {
  const seed = directory.checksumSeed;
  if (seed === undefined) return;
  const reader = new ByteReader(block);
  const isIndex =
    (directory.flags & FLAG_INDEXED) !== 0 &&
    (place === 0 || (reader.u32(0, WHAT) === 0 && reader.u16(4, WHAT) === (block.length & 0xffff)));
  if (isIndex) return;
  const tail = block.length - TAIL_BYTES;
  const isTail =
    reader.u32(tail, WHAT) === 0 &&
    reader.u16(tail + 4, WHAT) === TAIL_BYTES &&
    reader.u16(tail + 6, WHAT) === TAIL_TYPE << 8;
  if (!isTail || updateCrc32c(seed, block.subarray(0, tail)) !== reader.u32(tail + 8, WHAT))
    throw new FormatError('malformed', WHAT, place, 'its checksum is wrong');
}
