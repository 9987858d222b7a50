import type { Draft } from '../draft.ts';
import type { HostileFormat } from '../format.ts';
import { type Anatomy, arrayOf, type Field, fieldsAt, mutate } from '../mutate.ts';
import type { Random } from '../random.ts';
import { readImage } from '../read-everything.ts';
import { converted, fatDisk } from '../tiny-disks.ts';

/** Fields of a version 3 header, and of the extensions behind it. */
const HEADER: readonly (readonly [number, Field['width']])[] = [
  [4, 4],
  [8, 8],
  [16, 4],
  [20, 4],
  [24, 8],
  [32, 4],
  [36, 4],
  [40, 8],
  [48, 8],
  [56, 4],
  [60, 4],
  [64, 8],
  [72, 8],
  [80, 8],
  [88, 8],
  [96, 4],
  [100, 4],
  [104, 1],
  [112, 4],
  [116, 4],
];
const OFFSET_MASK = 0x00ff_ffff_ffff_fe00n;

export const qcow2: HostileFormat = {
  name: 'qcow2',
  seeds() {
    const disk = fatDisk();
    const small = 'cluster_size=4k';
    return [
      converted(disk, 'qcow2', '-o', `compat=0.10,${small}`),
      converted(disk, 'qcow2', '-o', `compat=1.1,${small}`),
      converted(disk, 'qcow2', '-c', '-o', `compat=1.1,${small}`),
      converted(disk, 'qcow2', '-c', '-o', `compression_type=zstd,${small}`),
      converted(disk, 'qcow2', '-o', 'extended_l2=on,cluster_size=16k'),
      withBacking(converted(Buffer.alloc(disk.length), 'qcow2', '-o', small), '/etc/passwd'),
      withBacking(
        converted(Buffer.alloc(disk.length), 'qcow2', '-o', small),
        // Itself: that it was named makes it no file behind itself.
        '/somewhere/hostile',
      ),
      withBacking(
        converted(Buffer.alloc(disk.length), 'qcow2', '-o', small),
        'json:{"driver":"file","filename":"/etc/passwd"}',
      ),
    ];
  },
  change: (draft: Draft, random: Random) => mutate(draft, anatomyOf(draft), random),
  read: readImage,
};

/** A header that asks for a file behind it, named in the first cluster. */
function withBacking(image: Buffer, name: string): Buffer {
  const at = 2048;
  image.write(name, at, 'latin1');
  image.writeBigUInt64BE(BigInt(at), 8);
  image.writeUInt32BE(name.length, 16);
  return image;
}

const known = new WeakMap<Draft, Anatomy>();

function anatomyOf(draft: Draft): Anatomy {
  let anatomy = known.get(draft);
  if (anatomy === undefined) known.set(draft, (anatomy = dissect(draft)));
  return anatomy;
}

/** Header, the first entries of L1, and the entries in use of the tables that they lead to. */
function dissect(draft: Draft): Anatomy {
  const fields: Field[] = [];
  // Chosen as often as all of the tables' together.
  for (let weight = 0; weight < 4; weight++) fields.push(...fieldsAt(0, 'big', ...HEADER));
  const clusterBytes = 2 ** Number(draft.number(20, 4, 'big'));
  const l1At = Number(draft.number(40, 8, 'big'));
  const l1 = arrayOf(l1At, Math.min(Number(draft.number(36, 4, 'big')), 16), 8, 'big');
  fields.push(...l1);
  const tables: number[] = [];
  const entries: number[] = [];
  for (const { at } of l1) {
    const table = Number(draft.number(at, 8, 'big') & OFFSET_MASK);
    if (table === 0 || table + clusterBytes > draft.size) continue;
    tables.push(table);
    const used = arrayOf(table, clusterBytes / 8, 8, 'big').filter((entry) => draft.number(entry.at, 8, 'big') !== 0n);
    fields.push(...used.slice(0, 64));
    entries.push(...used.map((entry) => entry.at));
  }
  const clusters = Array.from({ length: Math.floor(draft.size / clusterBytes) }, (_, index) => index * clusterBytes);
  return {
    fields,
    records: [
      { at: entries, bytes: 8 },
      { at: l1.map(({ at }) => at), bytes: 8 },
      { at: [...tables, ...clusters], bytes: clusterBytes },
    ],
  };
}
