import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { EXTRA_AT, extraBytes, type Inode, MAP_BYTES } from './inode.ts';

/** Linux, Documentation/filesystems/ext4: inline data, extended attributes. */
const ATTRIBUTES_MAGIC = 0xea02_0000;
const ENTRY_BYTES = 16;
/** The attribute `system.data`: its prefix has this number. */
const PREFIX_SYSTEM = 7;
const NAME = 'data';

const WHAT = 'ext4 inline data';

/**
 * The parts of content that lies in the inode itself: as much as its block map has room for, and the rest as an
 * attribute behind its fields. Both in full, whatever the file's size.
 * @throws FormatError malformed; truncated
 */
export function inlineParts(inode: Inode): readonly [Uint8Array, Uint8Array] {
  return [inode.map.bytes, attributeData(inode) ?? new Uint8Array(0)];
}

/** @throws FormatError malformed where the parts don't hold the inode's size; truncated */
export function inlineContent(inode: Inode): Uint8Array {
  const [first, rest] = inlineParts(inode);
  if (inode.size > MAP_BYTES + rest.length)
    throw new FormatError('malformed', WHAT, inode.place, `${inode.size} bytes, there are ${MAP_BYTES + rest.length}`);
  return Buffer.concat([first, rest]).subarray(0, inode.size);
}

function attributeData(inode: Inode): Uint8Array | undefined {
  const start = EXTRA_AT + extraBytes(inode.bytes);
  if (!inode.bytes.has(start, 4) || inode.bytes.u32(start, WHAT) !== ATTRIBUTES_MAGIC) return undefined;
  const area = new ByteReader(inode.bytes.slice(start + 4, inode.bytes.length - start - 4, WHAT));
  // Each round goes on by an entry's size: the area, less than an inode, ends it.
  for (let at = 0; area.has(at, 4) && area.u32(at, WHAT) !== 0; ) {
    const nameBytes = area.u8(at, WHAT);
    const name = Buffer.from(area.slice(at + ENTRY_BYTES, nameBytes, WHAT)).toString('latin1');
    if (area.u8(at + 1, WHAT) === PREFIX_SYSTEM && name === NAME) {
      if (area.u32(at + 4, WHAT) !== 0) throw new FormatError('malformed', WHAT, inode.place, 'it lies elsewhere');
      return area.slice(area.u16(at + 2, WHAT), area.u32(at + 8, WHAT), WHAT);
    }
    at += ENTRY_BYTES + Math.ceil(nameBytes / 4) * 4;
  }
  return undefined;
}
