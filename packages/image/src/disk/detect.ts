import type { ByteSource } from '../source/byte-source.ts';
import type { DiskFormat } from './disk-format.ts';
import { isTarHeader } from './tar/header.ts';

interface Magic {
  readonly format: DiskFormat;
  /** In bytes from the start; negative: from the end. */
  readonly at: number;
  /** One character a byte. */
  readonly bytes: string;
}

/** The first that matches counts. Of each format what its own specification, else the tool that writes it, says. */
const MAGICS: readonly Magic[] = [
  { format: 'qcow2', at: 0, bytes: 'QFI\xfb\0\0\0\x02' },
  { format: 'qcow2', at: 0, bytes: 'QFI\xfb\0\0\0\x03' },
  { format: 'qcow', at: 0, bytes: 'QFI\xfb\0\0\0\x01' },
  // A version from the future: the reader of qcow2 says so.
  { format: 'qcow2', at: 0, bytes: 'QFI\xfb' },
  { format: 'qed', at: 0, bytes: 'QED\0' },
  { format: 'vmdk', at: 0, bytes: 'KDMV' },
  { format: 'vmdk', at: 0, bytes: 'COWD' },
  { format: 'vmdk', at: 0, bytes: '# Disk DescriptorFile' },
  { format: 'vhdx', at: 0, bytes: 'vhdxfile' },
  { format: 'vhd', at: 0, bytes: 'conectix' },
  { format: 'vdi', at: 0x40, bytes: '\x7f\x10\xda\xbe' },
  { format: 'parallels', at: 0, bytes: 'WithoutFreeSpace' },
  { format: 'parallels', at: 0, bytes: 'WithouFreSpacExt' },
  { format: 'bochs', at: 0, bytes: 'Bochs Virtual HD Image' },
  { format: 'cloop', at: 0, bytes: '#!/bin/sh\n#V2.0 Format' },
  { format: 'android-sparse', at: 0, bytes: '\x3a\xff\x26\xed' },
  { format: 'luks', at: 0, bytes: 'LUKS\xba\xbe' },
  { format: 'bitlocker', at: 3, bytes: '-FVE-FS-' },
  { format: 'squashfs', at: 0, bytes: 'hsqs' },
  { format: 'gzip', at: 0, bytes: '\x1f\x8b\x08' },
  { format: 'zstd', at: 0, bytes: '\x28\xb5\x2f\xfd' },
  { format: 'xz', at: 0, bytes: '\xfd7zXZ\0' },
  { format: 'lz4', at: 0, bytes: '\x04\x22\x4d\x18' },
  { format: 'lz4', at: 0, bytes: '\x02\x21\x4c\x18' },
  { format: 'zip', at: 0, bytes: 'PK\x03\x04' },
  { format: '7z', at: 0, bytes: '7z\xbc\xaf\x27\x1c' },
  { format: 'iso9660', at: 0x8001, bytes: 'CD001' },
  { format: 'vhd', at: -512, bytes: 'conectix' },
  { format: 'dmg', at: -512, bytes: 'koly' },
];

/** Up to the end of ISO 9660's first volume descriptor's name: what lies furthest in. */
const HEAD = 0x8008;
const SECTOR = 512;
/** An LVM label lies in one of the first four sectors; those of a partitioned disk are something else. */
const LVM_SECTORS = 4;

/**
 * What a file, a partition or a disk is, by its magic; `raw` is everything else. Nothing says of a raw disk that it
 * is one: its owner may write another format's magic into it, so that what was said of a file goes before this.
 */
export async function detectFormat(source: ByteSource): Promise<DiskFormat> {
  const head = Buffer.from(await source.read(0, Math.min(HEAD, source.size)));
  const tail = source.size < SECTOR ? Buffer.alloc(0) : Buffer.from(await source.read(source.size - SECTOR, SECTOR));
  for (const { format, at, bytes } of MAGICS) {
    const [from, start] = at < 0 ? [tail, SECTOR + at] : [head, at];
    if (from.toString('latin1', start, start + bytes.length) === bytes) return format;
  }
  if (/^BZh[1-9]1AY&SY/.test(head.toString('latin1', 0, 10))) return 'bzip2';
  if (isTarHeader(head.subarray(0, SECTOR))) return 'tar';
  return isLvm(head) ? 'lvm' : 'raw';
}

function isLvm(head: Buffer): boolean {
  if (head.length < SECTOR * LVM_SECTORS || head.readUInt16LE(510) === 0xaa55) return false;
  for (let at = 0; at < SECTOR * LVM_SECTORS; at += SECTOR) {
    const text = head.toString('latin1', at, at + 32);
    if (text.startsWith('LABELONE') && text.endsWith('LVM2 001')) return true;
  }
  return false;
}
