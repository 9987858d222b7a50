import type { ByteReader } from '../../byte-reader.ts';
import { fromCodePage437 } from './code-page-437.ts';

/** "Directory structure": a directory's 32-byte entry, other than those that carry a long name. */
export interface ShortEntry {
  readonly kind: 'file' | 'directory' | 'label';
  /** As written, with case as its flags say: `readme.txt`. Of a label, all eleven characters. */
  readonly name: string;
  /** Its eleven bytes: long names know theirs by a checksum of them. */
  readonly rawName: Uint8Array;
  /** 0: none. FAT12 and FAT16 have no upper half. */
  readonly cluster: number;
  /** In bytes; 0 of a directory. */
  readonly size: number;
}

export const ATTRIBUTE = { label: 0x08, directory: 0x10, longName: 0x0f, longNameMask: 0x3f } as const;
const NAME = 8;
const EXTENSION = 3;
/** Windows NT and Linux keep names that are all lower case without a long name, by flags at offset 12. */
const LOWER_CASE = { name: 0x08, extension: 0x10 } as const;
/** Stands for 0xe5 as a name's first byte, which would mark a deleted entry. */
const KANJI_E5 = 0x05;

/** Reads the entry at `offset` of a reader that has all of it. */
export function readShortEntry(reader: ByteReader, offset: number, wide: boolean): ShortEntry {
  const rawName = reader.slice(offset, NAME + EXTENSION, 'directory entry name');
  const attributes = reader.u8(offset + 11, 'attributes');
  const upperHalf = wide ? reader.u16(offset + 20, 'first cluster') : 0;
  const cluster = upperHalf * 2 ** 16 + reader.u16(offset + 26, 'first cluster');
  if ((attributes & ATTRIBUTE.directory) !== 0)
    return { kind: 'directory', name: nameOf(rawName, reader.u8(offset + 12, 'case')), rawName, cluster, size: 0 };
  if ((attributes & ATTRIBUTE.label) !== 0)
    return { kind: 'label', name: fromCodePage437(rawName).trimEnd(), rawName, cluster, size: 0 };
  const size = reader.u32(offset + 28, 'file size');
  return { kind: 'file', name: nameOf(rawName, reader.u8(offset + 12, 'case')), rawName, cluster, size };
}

function nameOf(raw: Uint8Array, flags: number): string {
  const bytes = Uint8Array.from(raw);
  if (bytes[0] === KANJI_E5) bytes[0] = 0xe5;
  const name = fromCodePage437(bytes.subarray(0, NAME)).trimEnd();
  const extension = fromCodePage437(bytes.subarray(NAME)).trimEnd();
  const cased = (flags & LOWER_CASE.name) === 0 ? name : name.toLowerCase();
  if (extension === '') return cased;
  return `${cased}.${(flags & LOWER_CASE.extension) === 0 ? extension : extension.toLowerCase()}`;
}
