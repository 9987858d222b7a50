/** Disks: filesystems laid behind each other, with a partition table by sfdisk in front of them or none. */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { diskTool } from '../tools.ts';
import { emptyFile, type FilesystemSpec, makeFilesystem } from './filesystems.ts';
import { UUIDS } from './ids.ts';
import type { Tree } from './tree.ts';

export const MIB = 2 ** 20;

export type TableKind = 'gpt' | 'mbr' | 'none';

/** What a partition is for, by its type. */
export type PartitionUse = 'esp' | 'linux' | 'xbootldr' | 'bios-boot' | 'msdata' | 'luks';

export interface PartSpec {
  readonly use: PartitionUse;
  /** Its number in a GPT where it isn't its place: Debian's and Ubuntu's cloud images have 1, 14 and 15. */
  readonly number?: number;
  readonly mib: number;
  readonly filesystem: FilesystemSpec;
  readonly tree: Tree;
}

export interface DiskSpec {
  readonly table: TableKind;
  /** Where there is no table: one, which is the whole disk. */
  readonly parts: readonly PartSpec[];
}

/** Types in sfdisk's words; an MBR has no type for some uses. */
const TYPES: Readonly<Record<PartitionUse, { readonly gpt: string; readonly mbr: string }>> = {
  esp: { gpt: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B', mbr: 'ef' },
  linux: { gpt: '0FC63DAF-8483-4772-8E79-3D69D8477DE4', mbr: '83' },
  xbootldr: { gpt: 'BC13C2FF-59E6-4262-A352-B275FD6F7172', mbr: 'ea' },
  'bios-boot': { gpt: '21686148-6449-6E6F-744E-656564454649', mbr: 'da' },
  msdata: { gpt: 'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7', mbr: '7' },
  luks: { gpt: 'CA7D7CCB-63ED-4C53-861C-1742536059CC', mbr: 'e8' },
};

/** Makes `path`, a raw disk. */
export function makeDisk(path: string, { table, parts }: DiskSpec): void {
  const [first] = parts;
  if (table === 'none') {
    if (first === undefined || parts.length > 1) throw new Error('a disk without a table is one filesystem');
    makeFilesystem(path, first.mib * MIB, first.filesystem, first.tree);
    return;
  }
  const total = parts.reduce((sum, { mib }) => sum + mib, 0);
  // One MiB for the table, one for the copy of a GPT at the end.
  emptyFile(path, (total + 2) * MIB);
  diskTool('sfdisk', ['--quiet', '--no-tell-kernel', path], { input: script(table, parts) });
  let at = MIB;
  for (const [index, part] of parts.entries()) {
    const file = `${path}.${index}`;
    makeFilesystem(file, part.mib * MIB, part.filesystem, part.tree);
    copySparse(file, path, at);
    rmSync(file);
    at += part.mib * MIB;
  }
}

function script(table: 'gpt' | 'mbr', parts: readonly PartSpec[]): string {
  const lines = table === 'gpt' ? ['label: gpt', `label-id: ${UUIDS.disk}`] : ['label: dos', 'label-id: 0x5a1b7c0e'];
  lines.push('unit: sectors');
  let at = MIB;
  for (const [index, { use, mib, number }] of parts.entries()) {
    const words = [`start=${at / 512}`, `size=${(mib * MIB) / 512}`, `type=${TYPES[use][table]}`];
    if (table === 'gpt') words.push(`uuid=${partitionUuid(index)}`, `name=${use}`);
    lines.push(`${number === undefined ? '' : `${number} : `}${words.join(', ')}`);
    at += mib * MIB;
  }
  return `${lines.join('\n')}\n`;
}

/** Of the partition that is in that place of a GPT. */
export function partitionUuid(index: number): string {
  return `${UUIDS.disk.slice(0, -2)}1${index}`;
}

/** Copies what is not zero. */
function copySparse(from: string, to: string, at: number): void {
  const source = openSync(from, 'r');
  const target = openSync(to, 'r+');
  const block = Buffer.alloc(MIB);
  const zeros = Buffer.alloc(MIB);
  try {
    for (let offset = 0; ; ) {
      const read = readSync(source, block, 0, MIB, offset);
      if (read === 0) return;
      if (block.compare(zeros, 0, read, 0, read) !== 0) writeSync(target, block, 0, read, at + offset);
      offset += read;
    }
  } finally {
    closeSync(source);
    closeSync(target);
  }
}
