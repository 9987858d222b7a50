/** Names that people give to disks. What such a file is, its content says. */
const DISK = /\.(raw|img|qcow2?|qed|vmdk|vhdx?|vdi|iso)$/i;
/** What a disk's name may have behind it. */
const PACKED = /\.(gz|zst|xz|bz2|lz4)$/i;

export function isDiskName(path: string): boolean {
  const parts = path.split('/');
  const name = parts.at(-1) ?? '';
  // Of macOS: attributes beside a file, with its name.
  if (name.startsWith('._')) return false;
  return DISK.test(name.replace(PACKED, '')) || parts.at(-2) === 'disk';
}
