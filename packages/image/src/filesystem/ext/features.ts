/** Feature flags of the superblock that reading depends on (Linux, Documentation/filesystems/ext4, superblock). */

export const COMPAT_HAS_JOURNAL = 0x4;
export const COMPAT_SPARSE_SUPER2 = 0x200;

export const INCOMPAT_FILETYPE = 0x2;
export const INCOMPAT_RECOVER = 0x4;
export const INCOMPAT_JOURNAL_DEV = 0x8;
export const INCOMPAT_META_BG = 0x10;
export const INCOMPAT_64BIT = 0x80;
export const INCOMPAT_EA_INODE = 0x400;
export const INCOMPAT_CSUM_SEED = 0x2000;
export const INCOMPAT_CASEFOLD = 0x20000;

export const RO_COMPAT_SPARSE_SUPER = 0x1;
export const RO_COMPAT_GDT_CSUM = 0x10;
export const RO_COMPAT_BIGALLOC = 0x200;
export const RO_COMPAT_METADATA_CSUM = 0x400;

/** What a reader must know, by bit. */
const INCOMPAT_NAMES = [
  'compression',
  'filetype',
  'needs_recovery',
  'journal_dev',
  'meta_bg',
  undefined,
  'extent',
  '64bit',
  'mmp',
  'flex_bg',
  'ea_inode',
  undefined,
  'dirdata',
  'metadata_csum_seed',
  'large_dir',
  'inline_data',
  'encrypt',
  'casefold',
];

/** Compression, external journals' own superblocks and Lustre's dirdata are not read here; the others are, or don't matter. */
const INCOMPAT_KNOWN = 0x3_e7d6;

/** The names of features that a reader must know and this one doesn't. */
export function unknownFeatures(incompat: number): readonly string[] {
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    const mask = 2 ** bit;
    if ((incompat & mask) !== 0 && (INCOMPAT_KNOWN & mask) === 0)
      names.push(INCOMPAT_NAMES[bit] ?? `0x${mask.toString(16)}`);
  }
  return names;
}

/** ext3 is ext2 with a journal, ext4 has anything that ext3 doesn't know. As blkid tells them. */
export function kindOf(compat: number, incompat: number, roCompat: number): 'ext2' | 'ext3' | 'ext4' {
  // filetype, needs_recovery, meta_bg; sparse_super, large_file, btree_dir
  const beyondExt3 = (incompat & ~0x16) !== 0 || (roCompat & ~0x7) !== 0;
  if (beyondExt3) return 'ext4';
  return (compat & COMPAT_HAS_JOURNAL) === 0 ? 'ext2' : 'ext3';
}
