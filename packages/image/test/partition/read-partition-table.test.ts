/** Tables as sfdisk writes them, ones that it wouldn't write, and whatever bytes a disk may have. */
import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { FormatError } from '../../src/index.ts';
import { type PartitionTable } from '../../src/partition/partition-table.ts';
import { readPartitionTable } from '../../src/partition/read-partition-table.ts';
import { Budget } from '../../src/source/budget.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { scratchFolder } from '../scratch.ts';
import { gptDisk } from '../synthetic/gpt-disk.ts';
import { diskTool, needsDiskTools } from '../tools.ts';

const folder = scratchFolder();
const MIB = 2 ** 20;

function tableOf(disk: Uint8Array): Promise<PartitionTable> {
  return readPartitionTable(memorySource('disk', disk), new Budget(2 ** 24, 10_000));
}

/** A disk of 64 MiB as sfdisk divides it. */
function divided(script: string): Buffer {
  const path = join(folder, 'disk');
  writeFileSync(path, '');
  truncateSync(path, 64 * MIB);
  diskTool('sfdisk', ['--quiet', path], { input: script });
  return readFileSync(path);
}

/** Number, start and end of each partition in sectors of 512 bytes. */
function places(table: PartitionTable): (readonly number[])[] {
  return table.partitions.map(({ number, start, bytes }) => [number, start / 512, (start + bytes) / 512 - 1]);
}

function notes(table: PartitionTable): string {
  return [...table.notes, ...table.partitions.flatMap((partition) => partition.notes)].join('; ');
}

/** Entries as [type, start, sectors] in the table of a sector. */
function write(disk: Buffer, sector: number, entries: readonly (readonly [number, number, number])[]): void {
  for (const [index, [type, start, sectors]] of entries.entries()) {
    const at = sector * 512 + 446 + index * 16;
    disk[at + 4] = type;
    disk.writeUInt32LE(start, at + 8);
    disk.writeUInt32LE(sectors, at + 12);
  }
  disk.writeUInt16LE(0xaa55, sector * 512 + 510);
}

describe('a GPT', () => {
  test("of sfdisk's is read with types, labels and identifiers", needsDiskTools(), async () => {
    const disk = divided(`label: gpt
label-id: 12345678-9abc-def0-1234-56789abcdef0
start=2048, size=16384, type=U, uuid=AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE, name="EFI Grüße"
size=32768, type=L, uuid=01234567-89ab-cdef-0123-456789abcdef
`);
    disk.write('in the second', 18432 * 512);
    const table = await tableOf(disk);
    assert.equal(table.kind, 'gpt');
    assert.deepEqual(places(table), [
      [1, 2048, 18431],
      [2, 18432, 51199],
    ]);
    const [first, second] = table.partitions;
    assert.equal(first?.type, 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b');
    assert.equal(first?.uuid, 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee');
    assert.equal(first?.label, 'EFI Grüße');
    assert.equal(second?.uuid, '01234567-89ab-cdef-0123-456789abcdef');
    assert.equal(Buffer.from((await second?.source.read(0, 13)) ?? []).toString(), 'in the second');
    assert.equal(notes(table), '');
  });

  for (const sectorBytes of [512, 4096])
    for (const entryBytes of [128, 512])
      test(`of ${sectorBytes}-byte sectors and ${entryBytes}-byte entries is read`, async () => {
        const partitions = [
          [140, 159],
          [160, 160],
        ] as const;
        const table = await tableOf(gptDisk({ sectorBytes, entryBytes, partitions }));
        assert.deepEqual(
          table.partitions.map(({ number, start, bytes, label }) => [number, start, bytes, label]),
          [
            [1, 140 * sectorBytes, 20 * sectorBytes, 'part 1'],
            [2, 160 * sectorBytes, sectorBytes, 'part 2'],
          ],
        );
      });

  const good = gptDisk({ partitions: [[40, 59]] });
  for (const [what, at] of [
    ['header', 512 + 40],
    ['entries', 1024 + 33],
    ['signature', 512],
  ] as const) {
    test(`with a broken ${what} falls back to the backup, and says so`, async () => {
      const disk = Buffer.from(good);
      disk[at] = 0x77;
      const table = await tableOf(disk);
      assert.deepEqual(places(table), [[1, 40, 59]]);
      assert.match(notes(table), /the backup GPT counts/);
    });

    test(`with a broken ${what}, in the backup too, is malformed`, async () => {
      const disk = Buffer.from(good);
      disk[at] = 0x77;
      disk[399 * 512 + 20] = 1;
      await assert.rejects(tableOf(disk), { name: 'FormatError', kind: 'malformed' });
    });
  }

  test('without a protective MBR counts for nothing', async () => {
    const disk = Buffer.from(good);
    disk.fill(0, 446, 462);
    assert.equal((await tableOf(disk)).kind, 'none');
  });

  test('with a hybrid MBR counts', async () => {
    const disk = Buffer.from(good);
    disk.set([0x80, 0, 0, 0, 0x83, 0, 0, 0, 45, 0, 0, 0, 5], 462);
    const table = await tableOf(disk);
    assert.deepEqual(places(table), [[1, 40, 59]]);
    assert.match(notes(table), /hybrid/);
  });

  test('with broken partitions has the others whole', async () => {
    const disk = gptDisk({
      partitions: [
        [40, 60],
        [50, 70],
        [100, 110],
        [390, 500],
        [2 ** 54, 2 ** 54],
        [9, 8],
      ],
    });
    const table = await tableOf(disk);
    const [first, second, third, past, far, turned] = table.partitions;
    assert.match(first?.notes.join() ?? '', /overlaps with partition 2/);
    assert.match(second?.notes.join() ?? '', /overlaps with partition 1/);
    assert.deepEqual(third?.notes, []);
    assert.equal(third?.source.size, 11 * 512);
    assert.match(past?.notes.join() ?? '', /past the end of the disk/);
    assert.equal(past?.source.size, 10 * 512);
    assert.equal(far?.source.size, 0);
    assert.match(turned?.notes.join() ?? '', /ends before it starts/);
    assert.equal(turned?.source.size, 0);
  });
});

describe('an MBR', () => {
  test("of sfdisk's is read with its logical partitions", needsDiskTools(), async () => {
    const table = await tableOf(
      divided(`label: dos
label-id: 0x1234abcd
start=2048, size=2048, type=83, bootable
start=4096, size=100000, type=5
start=6144, size=2048, type=83
start=10240, size=4096, type=c
start=16384, size=2048, type=82
`),
    );
    assert.equal(table.kind, 'mbr');
    assert.deepEqual(places(table), [
      [1, 2048, 4095],
      [5, 6144, 8191],
      [6, 10240, 14335],
      [7, 16384, 18431],
    ]);
    assert.deepEqual(
      table.partitions.map(({ type, uuid }) => [type, uuid]),
      [
        ['0x83', '1234abcd-01'],
        ['0x83', '1234abcd-05'],
        ['0x0c', '1234abcd-06'],
        ['0x82', '1234abcd-07'],
      ],
    );
    assert.equal(notes(table), '');
  });

  test('whose chain of logical partitions is a cycle has those before it', async () => {
    const disk = Buffer.alloc(100 * 512);
    write(disk, 0, [[0x0f, 10, 80]]);
    write(disk, 10, [
      [0x83, 1, 5],
      [5, 20, 10],
    ]);
    write(disk, 30, [
      [0x83, 1, 5],
      [5, 20, 10],
    ]);
    const table = await tableOf(disk);
    assert.deepEqual(places(table), [
      [5, 11, 15],
      [6, 31, 35],
    ]);
    assert.match(notes(table), /leads back to itself/);
  });

  test('whose chain leads past the disk has those before it', async () => {
    const disk = Buffer.alloc(100 * 512);
    write(disk, 0, [[0x0f, 10, 80]]);
    write(disk, 10, [
      [0x83, 1, 5],
      [5, 0xffff_ffff, 10],
    ]);
    const table = await tableOf(disk);
    assert.deepEqual(places(table), [[5, 11, 15]]);
    assert.match(notes(table), /past the end of the disk/);
  });

  test('whose chain has no end is followed 256 times', async () => {
    const disk = Buffer.alloc(2000 * 512);
    write(disk, 0, [[0x0f, 2, 1998]]);
    for (let sector = 2; sector < 1990; sector += 2)
      write(disk, sector, [
        [0x83, 1, 1],
        [5, sector, 2],
      ]);
    const table = await tableOf(disk);
    assert.equal(table.partitions.length, 256);
    assert.match(notes(table), /more than 256 tables/);
  });
});

describe('a filesystem without a table', () => {
  for (const [what, args] of [
    ['FAT', []],
    ['FAT with the table that mkfs.vfat writes for the sake of firmware', ['--mbr=y']],
  ] as const)
    test(`${what} is told from an MBR`, needsDiskTools(), async () => {
      const path = join(folder, 'fat');
      writeFileSync(path, '');
      truncateSync(path, 40 * MIB);
      diskTool('mkfs.vfat', [...args, path]);
      const disk = readFileSync(path);
      assert.equal(disk.readUInt16LE(510), 0xaa55);
      assert.equal((await tableOf(disk)).kind, 'none');
    });

  test('whose boot sector has code where an MBR has its table is told from one', async () => {
    const disk = Buffer.alloc(100 * 512);
    disk.write('FAT32   ', 82);
    disk.set([0x80, 1, 2, 3, 0x0b, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], 446);
    disk.writeUInt16LE(0xaa55, 510);
    assert.equal((await tableOf(disk)).kind, 'none');
  });

  test('smaller than a sector, and empty', async () => {
    assert.equal((await tableOf(new Uint8Array(0))).kind, 'none');
    assert.equal((await tableOf(new Uint8Array(511))).kind, 'none');
    assert.equal((await tableOf(new Uint8Array(1 << 20))).kind, 'none');
  });
});

test('whatever bytes a table has, it ends in partitions that lie on the disk or a typed error', async () => {
  const disks = [
    gptDisk({
      partitions: [
        [40, 59],
        [60, 99],
      ],
    }),
    gptDisk({ sectorBytes: 4096, partitions: [[40, 59]] }),
    Buffer.alloc(200 * 512),
  ];
  const edit = fc.tuple(fc.oneof(fc.nat(1200), fc.integer({ min: 446, max: 520 })), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...disks), fc.array(edit, { maxLength: 30 }), async (disk, edits) => {
      const bytes = Buffer.from(disk);
      for (const [at, value] of edits) bytes[at] = value;
      bytes.writeUInt16LE(0xaa55, 510);
      try {
        for (const { source } of (await tableOf(bytes)).partitions) await source.read(0, source.size);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});
