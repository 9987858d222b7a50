import { FormatError } from '../format-error.ts';

/** What is read here, and what is only known by its name. */
export type DiskFormat = ReadFormat | Wrapping | UnreadFormat;

/** A disk as it is, byte for byte or by a map of clusters. `vhd` is read where it is fixed. */
export type ReadFormat = 'raw' | 'qcow2' | 'vhd';

/** What a disk comes in. `oci`: a containerDisk, as an OCI image layout or as `docker save` writes it. */
export type Wrapping = 'tar' | 'oci' | 'gzip' | 'zstd';

export type UnreadFormat =
  | 'qcow'
  | 'qed'
  | 'vmdk'
  | 'vhdx'
  | 'vdi'
  | 'parallels'
  | 'bochs'
  | 'cloop'
  | 'dmg'
  | 'android-sparse'
  | 'luks'
  | 'bitlocker'
  | 'lvm'
  | 'iso9660'
  | 'squashfs'
  | 'xz'
  | 'bzip2'
  | 'lz4'
  | 'zip'
  | '7z';

/** As people call them. */
export const FORMAT_TITLES: Readonly<Record<DiskFormat, string>> = {
  raw: 'a raw disk',
  qcow2: 'qcow2',
  vhd: 'VHD',
  tar: 'tar',
  oci: 'a containerDisk',
  gzip: 'gzip',
  zstd: 'zstd',
  qcow: 'qcow (version 1)',
  qed: 'QED',
  vmdk: 'VMDK',
  vhdx: 'VHDX',
  vdi: 'VDI',
  parallels: 'Parallels HDD',
  bochs: 'a Bochs disk',
  cloop: 'cloop',
  dmg: 'Apple DMG',
  'android-sparse': 'an Android sparse image',
  luks: 'a LUKS volume',
  bitlocker: 'a BitLocker volume',
  lvm: 'an LVM physical volume',
  iso9660: 'ISO 9660',
  squashfs: 'SquashFS',
  xz: 'xz',
  bzip2: 'bzip2',
  lz4: 'lz4',
  zip: 'ZIP',
  '7z': '7-Zip',
};

/** What the person can do instead. */
type Way = 'convert' | 'unpack' | 'install' | 'decrypt' | 'none';

const WAYS: Readonly<Record<UnreadFormat, Way>> = {
  qcow: 'convert',
  qed: 'convert',
  vmdk: 'convert',
  vhdx: 'convert',
  vdi: 'convert',
  parallels: 'convert',
  bochs: 'convert',
  cloop: 'convert',
  dmg: 'convert',
  'android-sparse': 'unpack',
  luks: 'decrypt',
  bitlocker: 'decrypt',
  lvm: 'none',
  iso9660: 'install',
  squashfs: 'none',
  xz: 'unpack',
  bzip2: 'unpack',
  lz4: 'unpack',
  zip: 'unpack',
  '7z': 'unpack',
};

export function isUnread(format: DiskFormat): format is UnreadFormat {
  return Object.hasOwn(WAYS, format);
}

/** Why a format that was recognised can't be read, and what to do. */
export function notRead(format: UnreadFormat, name: string): FormatError {
  const way = WAYS[format];
  const title = FORMAT_TITLES[format];
  switch (way) {
    case 'convert':
      return unsupported(name, `${title} is not read: convert it, qemu-img convert -O qcow2 IN OUT.qcow2`);
    case 'unpack':
      return unsupported(name, `${title} is not unpacked here: unpack it first`);
    case 'install':
      return unsupported(name, `${title} is not read: it is a medium to install or to look at, not an installed disk`);
    case 'none':
      return unsupported(name, `${title} is not read`);
    case 'decrypt':
      return new FormatError('encrypted', name, 0, `${title}: its content can't be read without its key`);
  }
}

function unsupported(name: string, detail: string): FormatError {
  return new FormatError('unsupported', name, 0, detail);
}
