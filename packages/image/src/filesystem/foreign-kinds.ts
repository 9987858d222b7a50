import type { FormatErrorKind } from '../format-error.ts';

/** What a volume can be recognised as without being read here. */
export interface ForeignKind {
  /** As people say it. */
  readonly name: string;
  readonly why: Extract<FormatErrorKind, 'unsupported' | 'encrypted'>;
  /** Any of these, in bytes from the volume's start. */
  readonly magics: readonly (readonly [at: number, bytes: string])[];
}

function unsupported(name: string, ...magics: ForeignKind['magics']): ForeignKind {
  return { name, why: 'unsupported', magics };
}

/** Characters are bytes (latin1). Numbers in magics are written as their bytes lie. */
function everySector(count: number, text: string): ForeignKind['magics'] {
  return Array.from({ length: count }, (_, index) => [index * 512, text] as const);
}

/** What holds other volumes, or hides them: it is asked for first, since what it holds may lie in plain sight. */
export const CONTAINERS: readonly ForeignKind[] = [
  { name: 'LUKS', why: 'encrypted', magics: [[0, 'LUKS\xba\xbe']] },
  {
    name: 'BitLocker (Windows)',
    why: 'encrypted',
    magics: [
      [3, '-FVE-FS-'],
      // To go: a FAT boot sector with this GUID.
      [424, '\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01'],
    ],
  },
  unsupported('an LVM2 physical volume', ...everySector(4, 'LABELONE')),
  unsupported('a member of a Linux software RAID', [0, '\xfc\x4e\x2b\xa9'], [4096, '\xfc\x4e\x2b\xa9']),
  unsupported(
    'bcachefs or bcache',
    [4096 + 24, '\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef'],
    [4096 + 24, '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81'],
  ),
];

/** What names itself in the boot sector, which else looks like FAT's. */
export const BOOT_SECTORS: readonly ForeignKind[] = [
  unsupported('NTFS (Windows)', [3, 'NTFS    ']),
  unsupported('exFAT', [3, 'EXFAT   ']),
  unsupported('ReFS (Windows)', [3, 'ReFS\0\0\0\0']),
];

/** Other filesystems, and what isn't any. */
export const FOREIGN_FILESYSTEMS: readonly ForeignKind[] = [
  unsupported('btrfs', [0x10040, '_BHRfS_M']),
  unsupported('F2FS', [1024, '\x10\x20\xf5\xf2']),
  unsupported('EROFS', [1024, '\xe2\xe1\xf5\xe0']),
  unsupported('SquashFS', [0, 'hsqs'], [0, 'sqsh']),
  unsupported('cramfs', [0, '\x45\x3d\xcd\x28']),
  unsupported('romfs', [0, '-rom1fs-']),
  unsupported('ISO 9660 (a CD image)', [0x8001, 'CD001']),
  unsupported('UDF', [0x8001, 'BEA01'], [0x8001, 'NSR02']),
  unsupported('JFS', [0x8000, 'JFS1']),
  unsupported('ReiserFS', ...[0x2034, 0x10034].flatMap((at) => [[at, 'ReIsErFs'] as const, [at, 'ReIsEr'] as const])),
  unsupported('Reiser4', [0x10000, 'ReIsEr4\0']),
  unsupported('NILFS2', [1024, '\x02\0\0\0\0\0\x34\x34']),
  unsupported('HFS+ (macOS)', [1024, 'H+\0\x04'], [1024, 'HX\0\x05']),
  unsupported('APFS (macOS)', [32, 'NXSB']),
  unsupported('UFS (BSD)', [0x1055c, '\x19\x01\x54\x19'], [0x255c, '\x54\x19\x01\0']),
  unsupported(
    'Linux swap',
    ...[4096, 8192, 16384, 65536].flatMap((page) =>
      ['SWAPSPACE2', 'SWAP-SPACE', 'S1SUSPEND\0', 'S2SUSPEND\0'].map((text) => [page - 10, text] as const),
    ),
  ),
  // Its ring of uberblocks: some may be unused.
  unsupported(
    'ZFS',
    ...Array.from({ length: 32 }, (_, index) => [0x20000 + index * 4096, '\x0c\xb1\xba\0\0\0\0\0'] as const),
  ),
];
