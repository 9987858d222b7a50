import { ByteReader } from '../../byte-reader.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { windowOf } from '../../source/window.ts';
import type { PeFile } from './pe-sections.ts';

/** What a GRUB program for EFI carries beside its code. */
export interface GrubImage {
  /** Where its files are: `/EFI/debian`, `(,gpt2)/boot/grub`; undefined where it says nothing. */
  readonly prefix: string | undefined;
  /** A script that runs before any configuration. */
  readonly script: string | undefined;
  /** A filesystem in it, the device `memdisk`. */
  readonly memdisk: ByteSource | undefined;
}

/** `mimg`, and the header of what comes in it: magic, padding, offset of the first, size of all (64-bit forms). */
const MODULES_MAGIC = 0x676d696d;
const INFO_BYTES = 24;
const OBJECT_HEADER = 8;
/** Kinds of objects; the others are modules and keys. */
const MEMDISK = 1;
const CONFIG = 2;
const PREFIX = 3;
/** Objects in a program: Debian's has some 120. */
const OBJECT_LIMIT = 1000;
const TEXT_LIMIT = 2 ** 16;

/**
 * What GRUB carries in its section `mods`; undefined where the program has none, and is no GRUB.
 * @throws FormatError truncated, over-budget
 */
export async function readGrubImage(file: ByteSource, pe: PeFile, budget: Budget): Promise<GrubImage | undefined> {
  const section = pe.sections.find((each) => each.name === 'mods');
  if (section === undefined || section.size < INFO_BYTES) return undefined;
  const info = new ByteReader(await file.read(section.offset, INFO_BYTES));
  if (info.u32(0, 'modules magic') !== MODULES_MAGIC) return undefined;
  let at = info.size64(8, 'offset of modules');
  const end = Math.min(section.size, info.size64(16, 'size of modules'));
  let prefix: string | undefined;
  let script: string | undefined;
  let memdisk: ByteSource | undefined;
  for (let count = 0; at + OBJECT_HEADER <= end && count < OBJECT_LIMIT; count++) {
    budget.takeSteps(1, 'GRUB object', at);
    const header = new ByteReader(await file.read(section.offset + at, OBJECT_HEADER));
    const kind = header.u32(0, 'object kind');
    const size = header.u32(4, 'object size');
    if (size < OBJECT_HEADER || at + size > end) break;
    if (kind === MEMDISK) {
      memdisk ??= windowOf(file, 'memdisk', section.offset + at + OBJECT_HEADER, size - OBJECT_HEADER);
    } else if (kind === PREFIX || kind === CONFIG) {
      const length = Math.min(size - OBJECT_HEADER, TEXT_LIMIT);
      const bytes = await file.read(section.offset + at + OBJECT_HEADER, length);
      const text = new ByteReader(bytes).has(0, 1) ? Buffer.from(bytes).toString('utf8').replace(/\0.*$/s, '') : '';
      if (kind === PREFIX) prefix ??= text;
      else script ??= text;
    }
    at += size;
  }
  return { prefix, script, memdisk };
}
