import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { diskTool } from '../../tools.ts';
import type { Draft } from '../draft.ts';
import type { HostileFormat } from '../format.ts';
import { mutate } from '../mutate.ts';
import type { Random } from '../random.ts';
import { readImage } from '../read-everything.ts';
import { fatDisk } from '../tiny-disks.ts';

const BLOCK = 512;
/** Text fields of a header: where, and how long. */
const NUMBERS: readonly (readonly [number, number])[] = [
  [100, 8],
  [124, 12],
  // GNU's map of what isn't a hole: places and lengths, and how long it all is.
  [386, 12],
  [398, 12],
  [410, 12],
  [482, 1],
  [483, 12],
];
const NAMES: readonly (readonly [number, number])[] = [
  [0, 100],
  [157, 100],
  [345, 155],
];
const CHECKSUM_AT = 148;

export const tar: HostileFormat = {
  name: 'tar',
  seeds: () => [archive('--format=ustar'), archive('--format=oldgnu', '--sparse'), archive('--format=pax', '--sparse')],
  change(draft, random) {
    const headers = headersOf(draft);
    for (let count = 1 + random.below(3); count > 0; count--) changeHeader(draft, random.pick(headers), random);
    const records = [{ at: headers, bytes: BLOCK }];
    if (random.once(3))
      mutate(draft, { fields: headers.map((at) => ({ at: at + BLOCK, width: 8, order: 'big' })), records }, random);
    if (!random.once(8)) for (const header of headers) repair(draft, header);
  },
  read: readImage,
};

/** The same in gzip: it is unpacked whole first. */
export const tarInGzip: HostileFormat = {
  name: 'gce-tar',
  seeds: () => [gzipSync(archive('--format=oldgnu', '--sparse'))],
  change: (draft, random) =>
    mutate(
      draft,
      {
        fields: [
          { at: 2, width: 1, order: 'big' },
          { at: 3, width: 1, order: 'big' },
          { at: draft.size - 4, width: 4, order: 'little' },
          { at: draft.size - 8, width: 4, order: 'little' },
          { at: random.below(draft.size), width: 1, order: 'big' },
        ],
        records: [],
      },
      random,
    ),
  read: readImage,
};

/** disk.raw: a small FAT, and a hole. */
export function archive(...options: readonly string[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'unpin-tar-'));
  try {
    writeFileSync(join(folder, 'disk.raw'), Buffer.concat([fatDisk(), Buffer.alloc(2 ** 18)]));
    writeFileSync(join(folder, 'notes.txt'), 'a note\n');
    return diskTool('tar', [...options, '--create', '-C', folder, '-f', '-', 'notes.txt', 'disk.raw']);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function changeHeader(draft: Draft, header: number, random: Random): void {
  switch (random.below(4)) {
    case 0: {
      const [at, size] = random.pick(NUMBERS);
      // In binary, as GNU writes what is too large for digits.
      const bytes = Buffer.alloc(size);
      for (let index = 0; index < size; index++) bytes[index] = random.pick([0, 0xff, 0x80, 0x7f, random.below(256)]);
      draft.write(header + at, bytes);
      break;
    }
    case 1: {
      const [at, size] = random.pick(NUMBERS);
      const digits = random.pick([
        '0',
        '1',
        '777',
        '1000',
        '1001',
        '7777777',
        '77777777777',
        '40000000000',
        '-1',
        '9',
        ' ',
        '',
      ]);
      draft.write(
        header + at,
        Buffer.from(digits.padStart(Math.max(0, size - 1), random.pick(['0', ' '])).slice(0, size)),
      );
      break;
    }
    case 2: {
      const [at, size] = random.pick(NAMES);
      const name = random.pick([
        '/etc/passwd',
        '../../../../etc/passwd',
        'disk.raw',
        './disk.raw',
        'a/'.repeat(60),
        '',
        '\0\0',
        'index.json',
        'blobs/sha256/',
        'disk/x.qcow2',
      ]);
      draft.write(header + at, Buffer.from(name.padEnd(size, '\0').slice(0, size)));
      break;
    }
    default:
      draft.write(
        header + 156,
        Buffer.from(random.pick(['0', '1', '2', '3', '5', '7', 'L', 'K', 'S', 'x', 'g', 'M', 'V', '\0', '?'])),
      );
  }
}

const known = new WeakMap<Draft, readonly number[]>();

function headersOf(draft: Draft): readonly number[] {
  let headers = known.get(draft);
  if (headers === undefined) {
    const found: number[] = [];
    for (let at = 0; at + BLOCK <= draft.size; at += BLOCK)
      if (draft.bytes.toString('latin1', at + 257, at + 262) === 'ustar') found.push(at);
    known.set(draft, (headers = found));
  }
  return headers;
}

function repair(draft: Draft, header: number): void {
  if (header + BLOCK > draft.size) return;
  const block = Buffer.from(draft.bytes.subarray(header, header + BLOCK)).fill(' ', CHECKSUM_AT, CHECKSUM_AT + 8);
  const sum = block.reduce((all, byte) => all + byte, 0);
  draft.write(header + CHECKSUM_AT, Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `));
}
