/** Structures of an XFS changed, with checksums that are right again: what checksums can't find. */
import { crc32cAround } from '../../src/filesystem/crc32c.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';

export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Where a structure has its checksum, by its magic; undefined where it has none or is not known. */
export function checksumAt(bytes: Buffer): number | undefined {
  const magic = bytes.toString('latin1', 0, 4);
  if (magic === 'XFSB') return 224;
  if (magic.startsWith('IN')) return 100;
  if (magic === 'XDB3' || magic === 'XDD3') return 4;
  if (magic === 'BMA3') return 64;
  if (magic === 'XSLM') return 12;
  if (bytes.length > 10 && [0x3df1, 0x3dff, 0x3ebe].includes(bytes.readUInt16BE(8))) return 12;
  return undefined;
}

export function seal(bytes: Buffer, at = checksumAt(bytes)): Buffer {
  if (at !== undefined) bytes.writeUInt32LE(crc32cAround(bytes, at), at);
  return bytes;
}

/** The structure at `offset`, changed and sealed. */
export async function resealed(
  image: ByteSource,
  offset: number,
  length: number,
  change: (bytes: Buffer) => void,
): Promise<Patch> {
  const bytes = Buffer.from(await image.read(offset, length));
  change(bytes);
  return { offset, bytes: seal(bytes) };
}
