/**
 * Small files that ask for enormous work, each by what its format promises and doesn't hold. Made by recipe: none is
 * kept. Disks are sparse files.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { makeDisk } from '../image-set/disk.ts';
import { makeFilesystem } from '../image-set/filesystems.ts';
import { environmentBlock } from '../image-set/grub.ts';
import { UUIDS } from '../image-set/ids.ts';
import { efiProgram, unifiedKernel } from '../image-set/pe.ts';
import type { Tree } from '../image-set/tree.ts';
import { bzImage, withSize } from '../synthetic/bz-image.ts';
import { syntheticKernel } from '../synthetic/kernel.ts';
import { diskTool, pack } from '../tools.ts';
import { tarOf } from './formats/tar-of.ts';
import { converted, fatDisk, tinyKernel } from './tiny-disks.ts';

export interface Bomb {
  readonly id: string;
  /** Makes it in an empty folder; returns its path. */
  readonly make: (folder: string) => string;
  /** What must be said of it, among its obstacles and its problem; `whole` where it is nothing but large. */
  readonly says: RegExp | 'whole';
}

const MIB = 2 ** 20;
const TIB = 2 ** 40;

function written(bytes: Uint8Array) {
  return (folder: string): string => {
    const path = join(folder, 'bomb');
    writeFileSync(path, bytes);
    return path;
  };
}

/** A bomb that is bytes, made when it is wanted. */
function bytes(id: string, make: () => Uint8Array, says: Bomb['says']): Bomb {
  return { id, says, make: (folder) => written(make())(folder) };
}

/** A disk that is one ext2 with these files; names ending in `@` are as large as a file can be, all holes. */
function extDisk(
  id: string,
  files: () => Tree,
  says: Bomb['says'],
  huge?: { readonly path: string; readonly bytes: number },
): Bomb {
  return {
    id,
    says,
    make: (folder) => {
      const path = join(folder, 'bomb');
      const tree = files();
      makeFilesystem(
        path,
        64 * MIB,
        { kind: 'ext', type: 'ext4', blockBytes: 4096, uuid: UUIDS.root, features: '^metadata_csum' },
        tree,
      );
      if (huge !== undefined)
        diskTool('debugfs', ['-w', '-R', `set_inode_field ${huge.path} size ${huge.bytes}`, path]);
      return path;
    },
  };
}

const grubDisk = (id: string, config: string, says: Bomb['says'], more: Tree = {}): Bomb =>
  extDisk(
    id,
    () => ({
      'boot/vmlinuz': tinyKernel(),
      'boot/grub/grub.cfg': config,
      'boot/grub/grubenv': environmentBlock({}),
      ...more,
    }),
    says,
  );

const ENTRY = "menuentry 'Linux' { linux /boot/vmlinuz ro }\n";
const TIMEOUT = 'set timeout=5\n';

/** qcow2: 1 TiB of which every cluster is the same packed one. */
function sameCluster(): Buffer {
  const clusterBits = 21;
  const clusterBytes = 2 ** clusterBits;
  const tables = 2;
  const header = Buffer.alloc(clusterBytes);
  header.write('QFI\xfb', 0, 'latin1');
  header.writeUInt32BE(3, 4);
  header.writeUInt32BE(clusterBits, 20);
  header.writeBigUInt64BE(BigInt(TIB), 24);
  header.writeUInt32BE(tables, 36);
  header.writeBigUInt64BE(BigInt(clusterBytes), 40);
  header.writeUInt32BE(4, 96);
  header.writeUInt32BE(104, 100);
  const l1 = Buffer.alloc(clusterBytes);
  const l2 = Buffer.alloc(clusterBytes);
  const packed = deflateRawSync(fatBomb(clusterBytes));
  const packedAt = 3 * clusterBytes;
  const offsetBits = 62 - (clusterBits - 8);
  const sectors = BigInt(Math.ceil(packed.length / 512));
  const entry = (1n << 62n) | (sectors << BigInt(offsetBits)) | BigInt(packedAt);
  for (let index = 0; index < tables; index++) l1.writeBigUInt64BE(BigInt(2 * clusterBytes) | (1n << 63n), index * 8);
  for (let index = 0; index < clusterBytes / 8; index++) l2.writeBigUInt64BE(entry, index * 8);
  return Buffer.concat([header, l1, l2, packed, Buffer.alloc(512)]);
}

/** A cluster that looks like a FAT32's beginning wherever it is read. */
function fatBomb(size: number): Buffer {
  const cluster = Buffer.alloc(size);
  fatDisk().copy(cluster, 0);
  return cluster;
}

function nestedGzip(times: number): Buffer {
  let packed: Buffer = Buffer.alloc(MIB);
  for (let count = 0; count < times; count++) packed = gzipSync(packed);
  return packed;
}

/** As much as `times` GiB of zeros, in members of 1 GiB. */
function longGzip(times: number): Buffer {
  const member = gzipSync(Buffer.alloc(256 * MIB));
  return Buffer.concat(Array.from({ length: times * 4 }, () => member));
}

/** A tar whose only file says that it has 2^50 bytes, nearly all of them holes. */
function sparseTar(): Buffer {
  const archive = tarOf([['disk.raw', Buffer.alloc(512), 'S']]);
  archive.write(`${'0'.repeat(11)}\0`, 386, 'latin1');
  archive.write(`${'1000'.padStart(11, '0')}\0`, 398, 'latin1');
  const size = Buffer.alloc(12);
  size.writeUInt8(0x80, 0);
  size.writeBigUInt64BE(BigInt(2 ** 50), 4);
  size.copy(archive, 483);
  archive.write('ustar  \0', 257, 'latin1');
  archive.write('        ', 148, 'latin1');
  const sum = archive.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return archive;
}

/** A GPT with as many entries as its fields can say. */
function manyPartitions(folder: string): string {
  const path = join(folder, 'bomb');
  makeDisk(path, {
    table: 'gpt',
    parts: [{ use: 'linux', mib: 8, filesystem: { kind: 'header', bytes: Buffer.alloc(512) }, tree: {} }],
  });
  const bytes = readFileSync(path);
  for (const at of [512, bytes.length - 512]) {
    bytes.writeUInt32LE(0xffffffff, at + 80);
    bytes.writeUInt32LE(0x80000000, at + 84);
    bytes.writeUInt32LE(0, at + 16);
    bytes.writeUInt32LE(crc32(bytes.subarray(at, at + bytes.readUInt32LE(at + 12))), at + 16);
  }
  return written(bytes)(folder);
}

/** An extended partition whose tables lead to each other. */
function tablesInCircles(): Buffer {
  const disk = Buffer.alloc(MIB);
  const table = (at: number, type: number, start: number): void => {
    disk[at + 446 + 4] = type;
    disk.writeUInt32LE(start, at + 446 + 8);
    disk.writeUInt32LE(100, at + 446 + 12);
    disk[at + 446 + 16 + 4] = 5;
    disk.writeUInt32LE(0, at + 446 + 16 + 8);
    disk.writeUInt32LE(100, at + 446 + 16 + 12);
    disk.writeUInt16LE(0xaa55, at + 510);
  };
  table(0, 5, 64);
  table(64 * 512, 0x83, 1);
  disk.fill(0, 446 + 16, 446 + 32);
  return disk;
}

/** Links of which each is twice the next: a name that takes 2^30 steps. */
function doublingLinks(): Tree {
  const links = Array.from({ length: 30 }, (_, index): [string, Tree[string]] => [
    `boot/l${index}`,
    { link: index === 29 ? '.' : `l${index + 1}/l${index + 1}` },
  ]);
  return Object.fromEntries(links);
}

/** A unified kernel whose kernel is a unified kernel, and so on. */
function nestedUki(times: number): Buffer {
  let program = unifiedKernel('6.0', tinyKernel(), Buffer.alloc(0), 'ro');
  for (let count = 0; count < times; count++) program = unifiedKernel('6.0', program, Buffer.alloc(0), 'ro');
  return program;
}

/** OCI: an archive whose index is `text`. */
function ociWith(text: string): Buffer {
  return tarOf([
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'), '0'],
    ['index.json', Buffer.from(text), '0'],
  ]);
}

function lzmaBomb(): Buffer {
  // Properties, a dictionary of nearly 4 GiB, 2^40 bytes announced, then a stream of zeros.
  const header = Buffer.alloc(13);
  header[0] = 0x5d;
  header.writeUInt32LE(0xffff0000, 1);
  header.writeBigUInt64LE(BigInt(TIB), 5);
  return bzImage(withSize(Buffer.concat([header, Buffer.alloc(4096)]), 2 ** 31));
}

function elfBomb(): Buffer {
  const kernel = Buffer.from(syntheticKernel());
  kernel.writeUInt16LE(0xffff, 56);
  kernel.writeUInt16LE(0xffff, 60);
  return Buffer.concat([kernel, Buffer.alloc(4 * MIB, 1)]);
}

export const BOMBS: readonly Bomb[] = [
  bytes('qcow2-one-cluster-for-all', sameCluster, 'whole'),
  bytes('gzip-in-gzip', () => nestedGzip(30), /no further|packed more than/),
  bytes('gzip-of-8-gib', () => longGzip(8), /./),
  bytes('kernel-gzip-of-8-gib', () => bzImage(longGzip(8)), /gzip payload/),
  bytes('kernel-zstd-bomb', () => bzImage(withSize(zstdCompressSync(Buffer.alloc(1024 * MIB)), 0xffffffff)), /./),
  bytes(
    'kernel-zstd-says-less',
    () => bzImage(withSize(zstdCompressSync(Buffer.alloc(512 * MIB)), 1000)),
    /zstd payload/,
  ),
  bytes(
    'kernel-xz-bomb',
    () => bzImage(withSize(pack('xz', ['--check=crc32', '-c'], Buffer.alloc(48 * MIB)), 0xfffffff)),
    /./,
  ),
  bytes('kernel-lz4-bomb', () => bzImage(withSize(pack('lz4', ['-l', '-c'], Buffer.alloc(48 * MIB)), 0xffffffff)), /./),
  bytes('kernel-lzma-dictionary', lzmaBomb, /2147483648 bytes/),
  bytes('tar-of-holes', sparseTar, /./),
  { id: 'gpt-of-all-entries', make: manyPartitions, says: /4294967295 entries/ },
  bytes('mbr-in-circles', tablesInCircles, /none is recognised/),
  bytes('oci-of-braces', () => ociWith('['.repeat(2 * MIB)), /./),
  bytes('oci-of-manifests', () => ociWith(`{"manifests":[${'{},'.repeat(500_000)}{}]}`), /500001 images/),
  bytes(
    'oci-in-itself',
    () => ociWith(`{"manifests":[{"digest":"sha256:${'0'.repeat(64)}","size":1}]}`),
    /lacks its blob/,
  ),
  bytes('uki-in-uki', () => nestedUki(12), /./),
  bytes(
    'uki-of-sections',
    () => efiProgram(Array.from({ length: 4000 }, (_, index) => [`.s${index}`, 'x'] as const)),
    /4000 sections/,
  ),
  bytes('elf-of-sections', elfBomb, /./),
  bytes(
    'qcow2-table-of-all',
    () => {
      const image = converted(fatDisk(), 'qcow2', '-o', 'cluster_size=512');
      image.writeUInt32BE(0x7fffffff, 36);
      image.writeBigUInt64BE(2n ** 60n, 24);
      return image;
    },
    /./,
  ),
  grubDisk('grub-grows', `${TIMEOUT}set a=aaaaaaaa\n${'set a="$a$a"\n'.repeat(60)}${ENTRY}`, /more words than/),
  grubDisk('grub-forever', `${TIMEOUT}while true; do set a=1; done\n${ENTRY}`, /commands/),
  grubDisk('grub-calls-itself', `${TIMEOUT}function f { f; f; }\nf\n${ENTRY}`, /calls within calls/),
  grubDisk(
    'grub-reads-itself',
    `${TIMEOUT}source /boot/grub/grub.cfg\nsource /boot/grub/grub.cfg\n${ENTRY}`,
    /calls within calls/,
  ),
  grubDisk(
    'grub-loops-in-loops',
    `${TIMEOUT}${'for a in 1 2 3 4 5 6 7 8 9; do '.repeat(12)} set b=1 ${'; done'.repeat(12)}\n${ENTRY}`,
    /commands/,
  ),
  grubDisk(
    'grub-asks-the-machine',
    `${TIMEOUT}${Array.from({ length: 60 }, (_, index) => `if cpuid -l; then set a${index}=1; else set a${index}=2; fi\nif [ -n "$cmdpath${index}" ]; then set b=1; fi\n`).join('')}${ENTRY}`,
    'whole',
  ),
  grubDisk('grub-of-entries', TIMEOUT + ENTRY.repeat(20_000), /more than 2000 entries/),
  grubDisk('grub-in-braces', `${TIMEOUT}${'if true; then '.repeat(50_000)}\n${ENTRY}`, /blocks in blocks/),
  grubDisk(
    'grub-expression',
    `${TIMEOUT}if regexp "((a*)*)*b" ${'a'.repeat(60)}; then set default=1; fi\n${ENTRY}`,
    'whole',
  ),
  grubDisk(
    'grub-glob',
    `${TIMEOUT}for f in /*/*/*/*/*/*/*/*; do set a=$f; done\n${ENTRY}`,
    /may follow|CPU/,
    doublingLinks(),
  ),
  grubDisk(
    'links-double',
    `${TIMEOUT}menuentry x { linux /boot/l0/vmlinuz }\n`,
    /more than 40 symbolic links/,
    doublingLinks(),
  ),
  extDisk('kernel-of-16-tib', () => ({ 'boot/vmlinuz-6.0': tinyKernel() }), /17592186040320 bytes/, {
    path: '/boot/vmlinuz-6.0',
    bytes: 16 * TIB - 4096,
  }),
  extDisk(
    'initrd-of-1-gib',
    () => ({
      'boot/vmlinuz': tinyKernel(),
      'boot/initrd': 'x',
      'boot/grub/grub.cfg': `${TIMEOUT}menuentry x { linux /boot/vmlinuz\n initrd /boot/initrd }\n`,
    }),
    'whole',
    { path: '/boot/initrd', bytes: 2 ** 30 },
  ),
  extDisk(
    'configuration-of-16-tib',
    () => ({ 'boot/vmlinuz': tinyKernel(), 'boot/grub/grub.cfg': TIMEOUT + ENTRY }),
    /17592186040320 bytes/,
    { path: '/boot/grub/grub.cfg', bytes: 16 * TIB - 4096 },
  ),
  {
    id: 'disk-of-4-tib',
    says: /./,
    make: (folder) => {
      const path = join(folder, 'bomb');
      const descriptor = openSync(path, 'w');
      ftruncateSync(descriptor, 4 * TIB);
      writeSync(descriptor, fatDisk(), 0, 512, 0);
      closeSync(descriptor);
      return path;
    },
  },
];
