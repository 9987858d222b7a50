import { checksumAt, seal } from '../../filesystem/xfs-reseal.ts';
import { UUIDS } from '../../image-set/ids.ts';
import type { Draft } from '../draft.ts';
import type { HostileFormat } from '../format.ts';
import { type Anatomy, arrayOf, type Field, fieldsAt, mutate } from '../mutate.ts';
import { readImage } from '../read-everything.ts';
import { filesystem, rootTree } from '../tiny-disks.ts';

const SUPERBLOCK: readonly (readonly [number, Field['width']])[] = [
  [4, 4],
  [8, 8],
  [16, 8],
  [48, 8],
  [56, 8],
  [84, 4],
  [88, 4],
  [96, 4],
  [100, 2],
  [102, 2],
  [104, 2],
  [106, 2],
  [120, 1],
  [121, 1],
  [122, 1],
  [123, 1],
  [124, 1],
  [126, 1],
  [192, 1],
  [200, 4],
  [208, 4],
  [212, 4],
  [216, 4],
  [220, 4],
];
const INODE: readonly (readonly [number, Field['width']])[] = [
  [2, 2],
  [4, 1],
  [5, 1],
  [56, 8],
  [64, 8],
  [76, 4],
  [80, 2],
  [82, 1],
  [83, 1],
  [90, 2],
  [120, 8],
  [152, 8],
];
/** Blocks of directories and of trees of extents: what they are, how much is in them, what is beside them. */
const BLOCK: readonly (readonly [number, Field['width']])[] = [
  [4, 2],
  [6, 2],
  [8, 8],
  [16, 8],
  [24, 8],
  [32, 8],
  [48, 8],
  [56, 2],
  [64, 8],
  [72, 1],
];
const BLOCK_MAGICS = new Set(['XDB3', 'XDD3', 'XD2B', 'XD2D', 'BMA3', 'BMAP', 'XSLM', 'XAGF', 'XAGI', 'IAB3', 'IABT']);
const UNSUPPORTED = '--unsupported';

export const xfs: HostileFormat = {
  name: 'xfs',
  seeds: () => [
    filesystem(16_384, { kind: 'xfs', uuid: UUIDS.root, options: [UNSUPPORTED] }, rootTree(300)),
    filesystem(16_384, { kind: 'xfs', uuid: UUIDS.root, options: [UNSUPPORTED, '-n', 'size=8192'] }, rootTree(30)),
    filesystem(16_384, { kind: 'xfs', uuid: UUIDS.root, options: [UNSUPPORTED, '-m', 'crc=0'] }, rootTree(900)),
  ],
  change(draft, random) {
    const anatomy = anatomyOf(draft);
    mutate(draft, anatomy, random);
    if (!random.once(8)) for (const { at, bytes } of anatomy.records) for (const each of at) reseal(draft, each, bytes);
  },
  read: readImage,
};

/** Makes a structure's checksum fit what it says, where it has one. */
function reseal(draft: Draft, at: number, bytes: number): void {
  if (at + bytes > draft.size) return;
  const structure = Buffer.from(draft.bytes.subarray(at, at + bytes));
  const place = checksumAt(structure);
  if (place === undefined || place + 4 > bytes) return;
  // Those of version 4 have other things in that place.
  const isOld = structure.toString('latin1', 0, 2) === 'IN' ? structure[4] !== 3 : (draft.bytes[101] ?? 0) % 16 !== 5;
  if (!isOld) draft.write(at + place, seal(structure).subarray(place, place + 4));
}

const known = new WeakMap<Draft, Anatomy>();

function anatomyOf(draft: Draft): Anatomy {
  let anatomy = known.get(draft);
  if (anatomy === undefined) known.set(draft, (anatomy = dissect(draft)));
  return anatomy;
}

function dissect(draft: Draft): Anatomy {
  const { bytes } = draft;
  const inodeBytes = bytes.readUInt16BE(104);
  const blockBytes = bytes.readUInt32BE(4);
  const inodes: number[] = [];
  const blocks: number[] = [];
  for (let at = 0; at < bytes.length; at += inodeBytes) {
    // Of those in use, the first.
    if (bytes.toString('latin1', at, at + 2) === 'IN' && bytes.readUInt16BE(at + 2) !== 0 && inodes.length < 24)
      inodes.push(at);
    if (at % blockBytes === 0 && isBlock(bytes, at) && blocks.length < 24) blocks.push(at);
  }
  const superblock = fieldsAt(0, 'big', ...SUPERBLOCK);
  const fields = [
    ...superblock,
    ...superblock,
    ...inodes.flatMap((at) => [...fieldsAt(at, 'big', ...INODE), ...forkOf(bytes, at)]),
    ...blocks.flatMap((at) => [
      ...fieldsAt(at, 'big', ...BLOCK),
      ...fieldsAt(at + blockBytes - 8, 'big', [0, 4], [4, 4]),
    ]),
  ];
  return {
    fields,
    records: [
      { at: inodes, bytes: inodeBytes },
      { at: blocks, bytes: blockBytes },
      { at: [0], bytes: 512 },
    ],
  };
}

function isBlock(bytes: Buffer, at: number): boolean {
  const leaf = [0x3df1, 0x3dff, 0x3ebe, 0xd2f1, 0xd2ff, 0xfebe].includes(bytes.readUInt16BE(at + 8));
  return BLOCK_MAGICS.has(bytes.toString('latin1', at, at + 4)) || leaf;
}

/** Extents, or a directory's first names. */
function forkOf(bytes: Buffer, inode: number): Field[] {
  const fork = inode + (bytes[inode + 4] === 3 ? 176 : 100);
  return [...arrayOf(fork, 4, 8, 'big'), ...fieldsAt(fork, 'big', [0, 1], [1, 1], [2, 4], [6, 1], [7, 2])];
}
