import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { ByteSource } from '../../source/byte-source.ts';

/** A section of a PE file: EFI programs, unified kernels. */
export interface PeSection {
  readonly name: string;
  /** Where it lies in the file, in bytes; what of it lies past the file's end is not there. */
  readonly offset: number;
  readonly size: number;
}

export interface PeFile {
  readonly machine: number;
  readonly sections: readonly PeSection[];
}

/** IMAGE_FILE_MACHINE_AMD64. */
export const MACHINE_X86_64 = 0x8664;

/** With its signature. */
const COFF_BYTES = 24;
const SYMBOL_BYTES = 18;
/** Names longer than 8 are in a table behind the symbols; who looks for one knows it. */
const NAME_LIMIT = 32;
const SECTION_BYTES = 40;
/** The PE header lies near the start: behind the DOS stub, or a kernel's setup code. */
const HEADER_LIMIT = 2 ** 16;

/**
 * The sections of a PE file, by its headers alone; undefined where it is none.
 * @throws FormatError truncated, malformed
 */
export async function readPe(file: ByteSource): Promise<PeFile | undefined> {
  if (file.size < 64) return undefined;
  const dos = new ByteReader(await file.read(0, 64));
  if (dos.u16(0, 'DOS header') !== 0x5a4d) return undefined;
  const at = dos.u32(0x3c, 'PE offset');
  if (at < 64 || at > HEADER_LIMIT || at + COFF_BYTES > file.size) return undefined;
  const coff = new ByteReader(await file.read(at, COFF_BYTES));
  if (coff.u32(0, 'PE signature') !== 0x4550) return undefined;
  const count = coff.u16(6, 'section count');
  const first = at + COFF_BYTES + coff.u16(20, 'optional header size');
  if (count > 96) throw new FormatError('malformed', 'PE header', at, `${count} sections, at most 96`);
  const table = new ByteReader(await file.read(first, count * SECTION_BYTES));
  const symbols = coff.u32(12, 'symbol table offset');
  const strings = symbols === 0 ? 0 : symbols + SYMBOL_BYTES * coff.u32(16, 'symbol count');
  const sections: PeSection[] = [];
  for (let row = 0; row < count * SECTION_BYTES; row += SECTION_BYTES) {
    const virtualSize = table.u32(row + 8, 'section size');
    const rawSize = table.u32(row + 16, 'section size');
    const offset = table.u32(row + 20, 'section offset');
    const size = Math.min(virtualSize === 0 ? rawSize : Math.min(virtualSize, rawSize), file.size - offset);
    const name = await longName(file, strings, table.cString(row, 8, 'section name'));
    sections.push({ name, offset, size: Math.max(0, size) });
  }
  return { machine: coff.u16(4, 'machine'), sections };
}

/** `/29`: the name is at byte 29 of the string table. */
async function longName(file: ByteSource, strings: number, name: string): Promise<string> {
  const at = /^\/[0-9]+$/.test(name) ? strings + Number(name.slice(1)) : file.size;
  if (strings === 0 || at >= file.size) return name;
  const bytes = await file.read(at, Math.min(NAME_LIMIT, file.size - at));
  return new ByteReader(bytes).cString(0, NAME_LIMIT, 'section name');
}

/** The first bytes of a section, `limit` at most; undefined where there is no such section. */
export async function readSection(
  file: ByteSource,
  pe: PeFile,
  name: string,
  limit: number,
): Promise<Uint8Array | undefined> {
  const section = pe.sections.find((each) => each.name === name);
  return section && (await file.read(section.offset, Math.min(section.size, limit)));
}
