import { inspectKernel } from '../../../src/index.ts';
import { unpackPayload } from '../../../src/kernel/payload/unpack.ts';
import type { ByteSource } from '../../../src/source/byte-source.ts';
import { unifiedKernel } from '../../image-set/pe.ts';
import { syntheticKernel } from '../../synthetic/kernel.ts';
import type { Draft } from '../draft.ts';
import type { HostileFormat } from '../format.ts';
import { type Anatomy, arrayOf, type Field, fieldsAt, mutate } from '../mutate.ts';
import { PACKERS, packedBy } from '../packers.ts';
import { readImage } from '../read-everything.ts';
import { tinyKernel } from '../tiny-disks.ts';

const UNPACKED_LIMIT = 2 ** 24;

const SETUP_HEADER: readonly (readonly [number, Field['width']])[] = [
  [0x1f1, 1],
  [0x1f4, 4],
  [0x1fe, 2],
  [0x200, 2],
  [0x202, 4],
  [0x206, 2],
  [0x20e, 2],
  [0x211, 1],
  [0x214, 4],
  [0x236, 2],
  [0x248, 4],
  [0x24c, 4],
  [0x250, 8],
  [0x260, 4],
];

export const bzImage: HostileFormat = {
  name: 'bzimage',
  seeds: () => [tinyKernel()],
  change: (draft, random) =>
    mutate(
      draft,
      { fields: fieldsAt(0, 'little', ...SETUP_HEADER), records: [{ at: [0, 512, 1024], bytes: 512 }] },
      random,
    ),
  read: readImage,
};

const ELF_HEADER: readonly (readonly [number, Field['width']])[] = [
  [4, 1],
  [5, 1],
  [16, 2],
  [18, 2],
  [24, 8],
  [32, 8],
  [40, 8],
  [52, 2],
  [54, 2],
  [56, 2],
  [58, 2],
  [60, 2],
  [62, 2],
];

/** A kernel that isn't packed: what is looked at most, symbols, types and code included. */
export const elf: HostileFormat = {
  name: 'elf',
  seeds: () => [
    syntheticKernel(),
    syntheticKernel({ symbols: 'none' }),
    syntheticKernel({ prototype: 'npages', rangeCall: 'pages', hook: 'installs-later' }),
  ],
  change: (draft, random) => mutate(draft, elfAnatomy(draft), random),
  read: async (source) => {
    inspectKernel(await source.read(0, source.size), 'hostile', { imageLimit: UNPACKED_LIMIT });
    return await readImage(source);
  },
};

const known = new WeakMap<Draft, Anatomy>();

function elfAnatomy(draft: Draft): Anatomy {
  let anatomy = known.get(draft);
  if (anatomy === undefined) known.set(draft, (anatomy = dissectElf(draft)));
  return anatomy;
}

/** Headers, and numbers all over what the sections hold: tables of symbols and types are nothing else. */
function dissectElf({ bytes }: Draft): Anatomy {
  const segments = Number(bytes.readBigUInt64LE(32));
  const sections = Number(bytes.readBigUInt64LE(40));
  const sectionCount = bytes.readUInt16LE(60);
  const fields = [
    ...fieldsAt(0, 'little', ...ELF_HEADER),
    ...arrayOf(segments, bytes.readUInt16LE(56) * 7, 8, 'little'),
    ...arrayOf(sections, sectionCount * 8, 8, 'little'),
  ];
  // As many again from everywhere.
  const step = Math.max(4, Math.floor(bytes.length / 400 / 4) * 4);
  for (let at = 64; at + 8 <= bytes.length; at += step) fields.push({ at, width: 4, order: 'little' });
  const rows = Array.from({ length: sectionCount }, (_, index) => sections + index * 64);
  return { fields, records: [{ at: rows, bytes: 64 }] };
}

const PE_FIELDS: readonly (readonly [number, Field['width']])[] = [
  [0, 4],
  [4, 2],
  [6, 2],
  [20, 2],
  [22, 2],
  [24, 2],
  [56, 4],
  [60, 4],
  [80, 4],
  [84, 4],
  [132, 4],
];
const SECTION: readonly (readonly [number, Field['width']])[] = [
  [0, 8],
  [8, 4],
  [12, 4],
  [16, 4],
  [20, 4],
  [36, 4],
];
const SECTION_ROWS = 0x80 + 24 + 240;

export const uki: HostileFormat = {
  name: 'uki',
  seeds: () => [
    unifiedKernel('6.0-test', tinyKernel(), Buffer.from('an initrd'), 'root=/dev/vda1 ro quiet'),
    unifiedKernel('6.0-test', syntheticKernel(), Buffer.alloc(0), undefined),
  ],
  change(draft, random) {
    const rows = [0, 1, 2, 3, 4, 5].map((index) => SECTION_ROWS + 40 * index);
    const fields = [
      ...fieldsAt(0x3c, 'little', [0, 4]),
      ...fieldsAt(0x80, 'little', ...PE_FIELDS),
      ...rows.flatMap((at) => fieldsAt(at, 'little', ...SECTION)),
    ];
    mutate(draft, { fields, records: [{ at: rows, bytes: 40 }] }, random);
  },
  read: readImage,
};

/** Each packing: the beginning, where headers are, the end, where sizes and indexes are, and the middle. */
export const payloads: readonly HostileFormat[] = PACKERS.map((packer) => ({
  name: `payload-${packer}`,
  seeds: () => [packedBy(packer)],
  change(draft, random) {
    const { size } = draft;
    const edge = Math.min(64, size);
    const bytes = arrayOf(0, edge, 1, 'little');
    const words = arrayOf(0, Math.floor(edge / 4), 4, 'little');
    const end = arrayOf(size - edge, edge, 1, 'little');
    const middle = Array.from({ length: 16 }, () => ({ at: random.below(size), width: 1, order: 'little' }) as const);
    mutate(
      draft,
      {
        fields: [...bytes, ...words, ...end, ...middle],
        records: [{ at: [0, 16, 32, Math.floor(size / 2)], bytes: 16 }],
      },
      random,
    );
  },
  async read(source: ByteSource) {
    const { format } = unpackPayload(await source.read(0, source.size), UNPACKED_LIMIT);
    return [`whole: ${format}`];
  },
}));
