import { FormatError } from '../format-error.ts';
import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { openExt } from './ext/ext-filesystem.ts';
import { EXT_MAGIC, EXT_MAGIC_AT, SUPERBLOCK_AT } from './ext/superblock.ts';
import { openFat } from './fat/fat-filesystem.ts';
import type { Filesystem } from './filesystem.ts';
import { BOOT_SECTORS, CONTAINERS, FOREIGN_FILESYSTEMS, type ForeignKind } from './foreign-kinds.ts';
import { openXfs } from './xfs/xfs-filesystem.ts';

/** What most kinds are told by. */
const HEAD_BYTES = 8192;
const XFS_MAGIC = 'XFSB';

/**
 * The filesystem that a partition or a whole disk holds, told by its magic.
 * @throws FormatError unsupported or encrypted, with its name, for what is recognised and not read here; unsupported
 *   where nothing is recognised; what opening it throws
 */
export async function openFilesystem(source: ByteSource, budget: Budget): Promise<Filesystem> {
  const head = Buffer.from(await source.read(0, Math.min(HEAD_BYTES, source.size)));
  await refuse(source, head, CONTAINERS);
  const extMagicAt = SUPERBLOCK_AT + EXT_MAGIC_AT;
  if (head.length >= extMagicAt + 2 && head.readUInt16LE(extMagicAt) === EXT_MAGIC) return openExt(source, budget);
  if (head.toString('latin1', 0, XFS_MAGIC.length) === XFS_MAGIC) return openXfs(source, budget);
  await refuse(source, head, BOOT_SECTORS);
  if (isFat(head)) return openFat(source, budget);
  await refuse(source, head, FOREIGN_FILESYSTEMS);
  const found =
    source.size === 0
      ? 'it is empty'
      : head.every((byte) => byte === 0)
        ? 'it begins with zeroes'
        : 'its bytes are of no kind that is known';
  throw new FormatError('unsupported', 'filesystem', 0, `none is recognised: ${found}`);
}

async function refuse(source: ByteSource, head: Buffer, kinds: readonly ForeignKind[]): Promise<void> {
  for (const { name, why, magics } of kinds)
    for (const [at, text] of magics) {
      if (at + text.length > source.size) continue;
      const inHead = at + text.length <= head.length;
      const bytes = inHead ? head.subarray(at, at + text.length) : await source.read(at, text.length);
      if (!Buffer.from(text, 'latin1').equals(bytes)) continue;
      throw new FormatError(why, 'filesystem', at, why === 'encrypted' ? name : `${name} is not read here`);
    }
}

/**
 * FAT has no magic: a jump, a plausible sector size and a media byte, as systems ask for. All that this lets pass is
 * looked at field by field when it is opened.
 */
function isFat(head: Buffer): boolean {
  if (head.length < 512 || head.readUInt16LE(510) !== 0xaa55) return false;
  const jumps = (head[0] === 0xeb && head[2] === 0x90) || head[0] === 0xe9;
  const sectorBytes = head.readUInt16LE(11);
  return jumps && [512, 1024, 2048, 4096].includes(sectorBytes) && (head[21] ?? 0) >= 0xf0 && head[16] !== 0;
}
