import type { Draft } from '../draft.ts';
import type { HostileFormat } from '../format.ts';
import { type Anatomy, arrayOf, type Field, fieldsAt, mutate } from '../mutate.ts';
import { readImage } from '../read-everything.ts';
import { fatTree, filesystem } from '../tiny-disks.ts';

const BOOT_SECTOR: readonly (readonly [number, Field['width']])[] = [
  [11, 2],
  [13, 1],
  [14, 2],
  [16, 1],
  [17, 2],
  [19, 2],
  [21, 1],
  [22, 2],
  [28, 4],
  [32, 4],
  [36, 4],
  [40, 2],
  [42, 2],
  [44, 4],
  [48, 2],
  [50, 2],
  [66, 1],
  [510, 2],
];
const ENTRY: readonly (readonly [number, Field['width']])[] = [
  [0, 1],
  [11, 1],
  [13, 1],
  [20, 2],
  [26, 2],
  [28, 4],
];
const ENTRY_BYTES = 32;

export const fat: HostileFormat = {
  name: 'fat',
  seeds: () =>
    ([12, 16, 32] as const).map((bits) =>
      filesystem({ 12: 360, 16: 9000, 32: 36_000 }[bits], { kind: 'fat', bits, label: 'BOOT' }, fatTree()),
    ),
  change: (draft, random) => mutate(draft, anatomyOf(draft), random),
  read: readImage,
};

const known = new WeakMap<Draft, Anatomy>();

function anatomyOf(draft: Draft): Anatomy {
  let anatomy = known.get(draft);
  if (anatomy === undefined) known.set(draft, (anatomy = dissect(draft)));
  return anatomy;
}

/** The boot sector, the beginnings of the tables, the root directory and what looks like a directory behind it. */
function dissect(draft: Draft): Anatomy {
  const { bytes } = draft;
  const sector = bytes.readUInt16LE(11);
  const clusterBytes = sector * bytes.readUInt8(13);
  const reserved = bytes.readUInt16LE(14) * sector;
  const small = bytes.readUInt16LE(22);
  const fatBytes = (small === 0 ? bytes.readUInt32LE(36) : small) * sector;
  const rootBytes = bytes.readUInt16LE(17) * ENTRY_BYTES;
  const rootAt = reserved + bytes.readUInt8(16) * fatBytes;
  const dataAt = rootAt + rootBytes;
  const width = small === 0 ? 4 : 2;
  const boot = fieldsAt(0, 'little', ...BOOT_SECTOR);
  const table = arrayOf(reserved, 64, width, 'little');
  const entries: number[] = [];
  const places = rootBytes > 0 ? [rootAt] : [];
  for (let cluster = 0; cluster < 300; cluster++) {
    const at = dataAt + cluster * clusterBytes;
    // A folder begins with itself; FAT32's root, with the label.
    const begins = bytes.toString('latin1', at, at + 11);
    if (begins === '.          ' || begins === 'BOOT       ') places.push(at);
  }
  for (const place of places) for (let index = 0; index < 12; index++) entries.push(place + index * ENTRY_BYTES);
  const fields = [...boot, ...boot, ...table, ...entries.flatMap((at) => fieldsAt(at, 'little', ...ENTRY))];
  return {
    fields,
    records: [
      { at: entries, bytes: ENTRY_BYTES },
      { at: table.map(({ at }) => at), bytes: width },
      { at: places, bytes: 512 },
    ],
  };
}
