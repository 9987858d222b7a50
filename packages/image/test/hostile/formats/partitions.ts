import { crc32 } from 'node:zlib';
import type { Draft } from '../draft.ts';
import type { HostileFormat } from '../format.ts';
import { type Anatomy, type Field, fieldsAt, mutate } from '../mutate.ts';
import type { Random } from '../random.ts';
import { readImage } from '../read-everything.ts';
import { divided, fatDisk } from '../tiny-disks.ts';

const SECTOR = 512;
const KIB = 1024;
/** Where the seeds have their filesystem. */
const DATA_AT = 64 * KIB;
const DISK_KIB = 512;

const GPT_HEADER: readonly (readonly [number, Field['width']])[] = [
  [8, 4],
  [12, 4],
  [16, 4],
  [24, 8],
  [32, 8],
  [40, 8],
  [48, 8],
  [72, 8],
  [80, 4],
  [84, 4],
  [88, 4],
];
const GPT_ENTRY: readonly (readonly [number, Field['width']])[] = [
  [0, 4],
  [16, 4],
  [32, 8],
  [40, 8],
  [48, 8],
];
const ENTRY_BYTES = 128;
const MBR_ENTRY: readonly (readonly [number, Field['width']])[] = [
  [0, 1],
  [4, 1],
  [8, 4],
  [12, 4],
];

export const gpt: HostileFormat = {
  name: 'gpt',
  seeds: () => [
    divided(
      DISK_KIB,
      'label: gpt\nunit: sectors\nfirst-lba: 34\nstart=128, size=720, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\nsize=8\nsize=8\n',
      [DATA_AT, fatDisk()],
    ),
  ],
  change(draft, random) {
    mutate(draft, gptAnatomy(draft), random);
    // Most are whole by their checksums: what lies behind those is to be reached.
    if (random.once(6)) return;
    repairGpt(draft, SECTOR);
    repairGpt(draft, draft.size - SECTOR);
  },
  read: readImage,
};

const entryFields = (at: number): Field[] => fieldsAt(at, 'little', ...GPT_ENTRY);

function gptAnatomy(draft: Draft): Anatomy {
  const last = draft.size - SECTOR;
  const entriesAt = 2 * SECTOR;
  const copyAt = last - 128 * ENTRY_BYTES;
  const places = Array.from({ length: 6 }, (_, index) => index * ENTRY_BYTES);
  const fields = [
    ...fieldsAt(SECTOR, 'little', ...GPT_HEADER),
    ...fieldsAt(last, 'little', ...GPT_HEADER),
    ...places.flatMap((at) => [...entryFields(entriesAt + at), ...entryFields(copyAt + at)]),
    ...fieldsAt(446, 'little', ...MBR_ENTRY),
  ];
  return {
    fields,
    records: [
      { at: places.flatMap((at) => [entriesAt + at, copyAt + at]), bytes: ENTRY_BYTES },
      { at: [0, SECTOR, last], bytes: SECTOR },
    ],
  };
}

/** Makes the checksums of a header fit what it and its entries say. */
function repairGpt(draft: Draft, at: number): void {
  if (at < 0 || draft.size < at + SECTOR) return;
  const entriesAt = Number(draft.number(at + 72, 8, 'little')) * SECTOR;
  const bytes = Number(draft.number(at + 80, 4, 'little')) * Number(draft.number(at + 84, 4, 'little'));
  if (entriesAt + bytes <= draft.size)
    draft.setNumber(at + 88, 4, 'little', BigInt(crc32(draft.bytes.subarray(entriesAt, entriesAt + bytes))));
  const headerBytes = Number(draft.number(at + 12, 4, 'little'));
  if (headerBytes > SECTOR) return;
  draft.setNumber(at + 16, 4, 'little', 0n);
  draft.setNumber(at + 16, 4, 'little', BigInt(crc32(draft.bytes.subarray(at, at + headerBytes))));
}

export const mbr: HostileFormat = {
  name: 'mbr',
  seeds: () => [
    divided(DISK_KIB, 'label: dos\nunit: sectors\nstart=128, size=720, type=c\nstart=860, size=8, type=83\n', [
      DATA_AT,
      fatDisk(),
    ]),
    // Logical partitions, each behind a table of its own.
    divided(
      4 * DISK_KIB,
      'label: dos\nunit: sectors\nstart=2048, size=1900, type=5\nstart=2050, size=720\nstart=2780, size=10\nstart=2800, size=10\n',
      [2050 * SECTOR, fatDisk()],
    ),
  ],
  change: (draft: Draft, random: Random) => mutate(draft, mbrAnatomy(draft), random),
  read: readImage,
};

/** Entries of the table, and of those that lie where the seeds have extended ones. */
function mbrAnatomy(draft: Draft): Anatomy {
  const tables = [0];
  for (let at = SECTOR; at < draft.size; at += SECTOR)
    if (draft.bytes.readUInt16LE(at + 510) === 0xaa55 && draft.bytes[at] === 0) tables.push(at);
  const entries = tables.flatMap((table) => [0, 1, 2, 3].map((index) => table + 446 + 16 * index));
  return {
    fields: [
      ...entries.flatMap((at) => fieldsAt(at, 'little', ...MBR_ENTRY)),
      ...tables.flatMap((at) => fieldsAt(at, 'little', [510, 2])),
    ],
    records: [
      { at: entries, bytes: 16 },
      { at: tables, bytes: SECTOR },
    ],
  };
}
