import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { textOf } from './directory-entry.ts';
import { extentMap } from './extent-map.ts';
import type { Inode } from './inode.ts';
import { blockPlace, checkHeader, type HeaderLayout, type XfsVolume } from './volume.ts';

/** `XSLM`. */
const MAGIC = 0x58534c4d;
const LAYOUT: HeaderLayout = { crc: 12, place: 40, uuid: 16, owner: 32 };
const HEADER = { crc: 56, plain: 0 } as const;
/** As Linux (XFS_SYMLINK_MAXLEN). */
const MOST_BYTES = 1024;

/**
 * The target of a symbolic link, from its inode or from the blocks that it has.
 * @throws FormatError malformed, truncated
 */
export async function readSymlink(volume: XfsVolume, inode: Inode): Promise<string> {
  const what = `XFS symbolic link ${inode.number}`;
  const malformed = (detail: string): FormatError => new FormatError('malformed', what, 0, detail);
  const { source, superblock } = volume;
  if (inode.kind !== 'symlink') throw malformed(`this is a ${inode.kind}`);
  if (inode.size === 0 || inode.size > MOST_BYTES) throw malformed(`a target of ${inode.size} bytes`);
  if (inode.format === 'local') return targetText(new ByteReader(inode.fork).slice(0, inode.size, what), malformed);

  const header = HEADER[superblock.crc ? 'crc' : 'plain'];
  const parts: Uint8Array[] = [];
  let missing = inode.size;
  // The longest target and a header for each piece of it fit as many of the smallest blocks.
  const most = Math.ceil((2 * MOST_BYTES) / superblock.blockSize);
  for (const { count, address } of await extentMap(volume, inode)(0, most)) {
    if (missing === 0) break;
    if (count > most) throw malformed(`a piece of ${count} blocks`);
    const place = blockPlace(volume, address, count, what);
    const bytes = await source.read(place, count * superblock.blockSize);
    const length = Math.min(missing, bytes.length - header);
    const reader = new ByteReader(bytes, 'big');
    if (superblock.crc) {
      if (reader.u32(0, what) !== MAGIC) throw malformed('no magic');
      checkHeader(volume, bytes, LAYOUT, place, inode.number, what);
      if (reader.u32(4, what) !== inode.size - missing || reader.u32(8, what) !== length)
        throw malformed('its pieces are of other lengths');
    }
    parts.push(reader.slice(header, length, what));
    missing -= length;
  }
  if (missing > 0) throw malformed(`${missing} bytes of its target are missing`);
  return targetText(Buffer.concat(parts), malformed);
}

function targetText(bytes: Uint8Array, malformed: (detail: string) => FormatError): string {
  if (bytes.includes(0)) throw malformed('a target with a NUL');
  return textOf(bytes);
}
