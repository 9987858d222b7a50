import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { ByteSource } from '../../source/byte-source.ts';

/** PE32+ images (Microsoft PE and COFF specification): headers and the section table, nothing that a loader would run. */
const MAGIC_MZ = 0x5a4d;
const MAGIC_PE = 0x4550;
const MAGIC_PE32_PLUS = 0x20b;
/** Where the DOS header says that the PE header is. */
const E_LFANEW = 0x3c;
const COFF_HEADER = 20;
const SECTION_HEADER = 40;
/** Loaders of Windows take 96, a unified kernel image has about ten; with profiles and device trees some dozens. */
const MOST_SECTIONS = 256;
/** All headers lie in the first so many bytes; real ones have one to four KiB. */
const HEADERS = 64 * 1024;

/** Of a COFF header: x86-64. */
export const MACHINE_AMD64 = 0x8664;

export interface PeSection {
  /** Up to eight characters. */
  readonly name: string;
  /** Where its content lies in the file. */
  readonly offset: number;
  /** Bytes of content: what both lies in the file and is mapped. */
  readonly size: number;
}

export interface Pe {
  readonly machine: number;
  readonly sections: readonly PeSection[];
}

/**
 * Reads the headers of a PE image.
 * @returns undefined for what is none, or one that isn't PE32+
 * @throws FormatError malformed, truncated
 */
export async function readPe(source: ByteSource): Promise<Pe | undefined> {
  const length = Math.min(HEADERS, source.size);
  if (length < E_LFANEW + 4) return undefined;
  // The DOS header alone refuses nearly everything that is no PE.
  const dos = new ByteReader(await source.read(0, E_LFANEW + 4));
  if (dos.u16(0, 'DOS header') !== MAGIC_MZ) return undefined;
  return parsePe(await source.read(0, length), source.size);
}

/**
 * As `readPe`, of bytes.
 * @param head the file's first 64 KiB, or all of it
 * @param fileSize in bytes
 */
export function parsePe(head: Uint8Array, fileSize: number): Pe | undefined {
  const reader = new ByteReader(head.subarray(0, HEADERS));
  if (!reader.has(0, E_LFANEW + 4) || reader.u16(0, 'DOS header') !== MAGIC_MZ) return undefined;
  const start = reader.u32(E_LFANEW, 'DOS header');
  const optional = start + 4 + COFF_HEADER;
  if (!reader.has(start, 4 + COFF_HEADER + 2) || reader.u32(start, 'PE header') !== MAGIC_PE) return undefined;
  if (reader.u16(optional, 'PE optional header') !== MAGIC_PE32_PLUS) return undefined;
  const count = reader.u16(start + 6, 'COFF header');
  if (count > MOST_SECTIONS)
    throw new FormatError(
      'malformed',
      'COFF header',
      start + 6,
      `${count} sections, at most ${MOST_SECTIONS} are read`,
    );
  const table = optional + reader.u16(start + 20, 'COFF header');
  const sections = Array.from({ length: count }, (_, index) =>
    readSection(reader, table + index * SECTION_HEADER, fileSize),
  );
  return { machine: reader.u16(start + 4, 'COFF header'), sections };
}

function readSection(reader: ByteReader, at: number, fileSize: number): PeSection {
  const what = 'PE section header';
  const name = reader.cString(at, 8, what);
  const mapped = reader.u32(at + 8, what);
  const stored = reader.u32(at + 16, what);
  const offset = reader.u32(at + 20, what);
  // What is stored is rounded up to the file's alignment; sections without content say 0, or a size without a place.
  const size = offset === 0 ? 0 : Math.min(mapped === 0 ? stored : mapped, stored);
  if (offset + size > fileSize)
    throw new FormatError(
      'truncated',
      `PE section ${JSON.stringify(name)}`,
      at,
      `${size} bytes at ${offset}, the file has ${fileSize}`,
    );
  return { name, offset, size };
}
