import { updateCrc32c } from '../../../src/filesystem/crc32c.ts';
import type { FilesystemSpec } from '../../image-set/filesystems.ts';
import { UUIDS } from '../../image-set/ids.ts';
import type { Draft } from '../draft.ts';
import type { HostileFormat } from '../format.ts';
import { type Anatomy, arrayOf, type Field, fieldsAt, mutate } from '../mutate.ts';
import { readImage } from '../read-everything.ts';
import { filesystem, rootTree } from '../tiny-disks.ts';

const SUPERBLOCK_AT = 1024;
const SUPERBLOCK: readonly (readonly [number, Field['width']])[] = [
  [0, 4],
  [4, 4],
  [0x14, 4],
  [0x18, 4],
  [0x1c, 4],
  [0x20, 4],
  [0x24, 4],
  [0x28, 4],
  [0x3a, 2],
  [0x4c, 4],
  [0x54, 4],
  [0x58, 2],
  [0x5c, 4],
  [0x60, 4],
  [0x64, 4],
  [0xe0, 4],
  [0xfe, 2],
  [0x104, 4],
  [0x150, 4],
  [0x174, 1],
  [0x175, 1],
];
const INODE: readonly (readonly [number, Field['width']])[] = [
  [0, 2],
  [4, 4],
  [0x1a, 2],
  [0x1c, 4],
  [0x20, 4],
  [0x28, 4],
  [0x2c, 4],
  [0x30, 4],
  [0x34, 4],
  [0x38, 4],
  [0x3c, 4],
  [0x40, 4],
  [0x44, 4],
  [0x48, 4],
  [0x58, 4],
  [0x5c, 4],
  [0x60, 4],
  [0x6c, 4],
  [0x80, 2],
];
const EXTENT_HEADER: readonly (readonly [number, Field['width']])[] = [
  [0, 2],
  [2, 2],
  [4, 2],
  [6, 2],
  [12, 4],
  [16, 2],
  [18, 2],
  [20, 4],
];

const spec = (type: 'ext2' | 'ext4', blockBytes: 1024 | 4096, features: string): FilesystemSpec => ({
  kind: 'ext',
  type,
  blockBytes,
  features,
  uuid: UUIDS.root,
});

export const ext: HostileFormat = {
  name: 'ext',
  seeds: () => [
    filesystem(1024, spec('ext2', 1024, '^metadata_csum'), rootTree()),
    filesystem(2048, spec('ext4', 1024, '^metadata_csum,^has_journal,inline_data'), rootTree(200)),
    filesystem(4096, spec('ext4', 4096, '^metadata_csum,^has_journal,64bit,large_dir'), rootTree(400)),
    filesystem(2048, spec('ext4', 1024, 'metadata_csum,metadata_csum_seed,inline_data'), rootTree(100)),
  ],
  change(draft, random) {
    mutate(draft, anatomyOf(draft), random);
    if (!random.once(8)) repairSuperblock(draft);
  },
  read: readImage,
};

function repairSuperblock(draft: Draft): void {
  const bytes = draft.bytes.subarray(SUPERBLOCK_AT, SUPERBLOCK_AT + 1020);
  if (bytes.length === 1020)
    draft.setNumber(SUPERBLOCK_AT + 1020, 4, 'little', BigInt(updateCrc32c(0xffffffff, bytes) >>> 0));
}

const known = new WeakMap<Draft, Anatomy>();

function anatomyOf(draft: Draft): Anatomy {
  let anatomy = known.get(draft);
  if (anatomy === undefined) known.set(draft, (anatomy = dissect(draft)));
  return anatomy;
}

/** Superblock, descriptors of groups, inodes in use, blocks of extents, blocks of directories and of their indexes. */
function dissect(draft: Draft): Anatomy {
  const { bytes } = draft;
  const blockBytes = 1024 << bytes.readUInt32LE(SUPERBLOCK_AT + 0x18);
  const first = bytes.readUInt32LE(SUPERBLOCK_AT + 0x14);
  const inodeBytes = bytes.readUInt16LE(SUPERBLOCK_AT + 0x58);
  const descriptorAt = (first + 1) * blockBytes;
  const tableAt = bytes.readUInt32LE(descriptorAt + 8) * blockBytes;
  const superblock = fieldsAt(SUPERBLOCK_AT, 'little', ...SUPERBLOCK);
  const inodes = [2, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 24, 28, 30].map(
    (number) => tableAt + (number - 1) * inodeBytes,
  );
  const extents = inodes.filter((at) => bytes.readUInt16LE(at + 0x28) === 0xf30a).map((at) => at + 0x28);
  const directories: number[] = [];
  for (let at = 0; at + blockBytes <= bytes.length; at += blockBytes) {
    if (bytes.readUInt16LE(at) === 0xf30a) extents.push(at);
    if (bytes.readUInt16LE(at + 4) === 12 && bytes.readUInt8(at + 6) === 1 && bytes[at + 8] === 0x2e)
      directories.push(at);
  }
  const fields = [
    ...superblock,
    ...arrayOf(descriptorAt, 16, 4, 'little'),
    ...inodes.flatMap((at) => fieldsAt(at, 'little', ...INODE)),
    ...extents.flatMap((at) => fieldsAt(at, 'little', ...EXTENT_HEADER)),
    ...directories.flatMap((at) => entriesOf(bytes, at, blockBytes)),
  ];
  return {
    fields,
    records: [
      { at: inodes, bytes: inodeBytes },
      { at: extents, bytes: 24 },
      { at: directories, bytes: blockBytes },
    ],
  };
}

/** Numbers of the first entries of a directory's block; of an index, they are in the same place. */
function entriesOf(bytes: Buffer, block: number, blockBytes: number): Field[] {
  const fields: Field[] = [];
  for (let at = block, count = 0; at + 8 <= block + blockBytes && count < 10; count++) {
    fields.push(...fieldsAt(at, 'little', [0, 4], [4, 2], [6, 1], [7, 1]));
    const length = bytes.readUInt16LE(at + 4);
    if (length < 8) break;
    at += length;
  }
  return [
    ...fields,
    ...fieldsAt(block, 'little', [0x18, 4], [0x1d, 1], [0x1e, 1], [0x20, 2], [0x22, 2], [0x24, 4], [0x28, 4]),
  ];
}
