import { ByteReader } from '../byte-reader.ts';
import { FormatError } from '../format-error.ts';
import type { ByteSource } from '../source/byte-source.ts';

const FOOTER = 512;
/** Disk types of the footer ("Virtual Hard Disk Image Format Specification", "Hard Disk Footer Format"). */
const TYPE = { fixed: 2, dynamic: 3, differencing: 4 } as const;

/**
 * The size of the disk in a fixed VHD, in bytes: it is a raw disk with a footer behind it.
 * @throws FormatError unsupported for the other types, malformed
 */
export async function fixedVhdSize(source: ByteSource): Promise<number> {
  const at = source.size - FOOTER;
  const footer = new ByteReader(await source.read(at, FOOTER), 'big');
  const type = footer.cString(0, 8, 'VHD footer') === 'conectix' ? footer.u32(60, 'VHD footer') : TYPE.dynamic;
  if (type === TYPE.dynamic || type === TYPE.differencing)
    throw new FormatError(
      'unsupported',
      source.name,
      0,
      'of VHD only fixed disks are read: convert it, qemu-img convert -O qcow2 IN OUT.qcow2',
    );
  if (type !== TYPE.fixed) throw new FormatError('malformed', 'VHD footer', at + 60, `disk type ${type}`);
  const size = footer.size64(48, 'VHD footer');
  if (size > at) throw new FormatError('truncated', 'VHD footer', at + 48, `a disk of ${size} bytes in ${at}`);
  return size;
}
