import { ByteReader } from '../byte-reader.ts';
import { FormatError } from '../format-error.ts';

/** ELF-64 (System V ABI, gABI 4 and the x86-64 supplement): the fields used here. */
const MAGIC = 0x464c457f;
const CLASS = { elf32: 1, elf64: 2 } as const;
const LITTLE_ENDIAN = 1;
const MACHINE = { i386: 3, x8664: 62 } as const;
const PT_LOAD = 1;
const SHT_NOBITS = 8;
const PROGRAM_HEADER = 56;
const SECTION_HEADER = 64;
/** A kernel has a handful of segments and fewer than a hundred sections; more is no kernel. */
const MOST_SEGMENTS = 64;
const MOST_SECTIONS = 4096;
export const SECTION_WRITE = 1;
export const SECTION_EXECUTE = 4;

/** A PT_LOAD program header and its bytes. */
export interface LoadSegment {
  /** Virtual address; the kernel's are near 2^64 and need all their bits. */
  readonly vaddr: bigint;
  /** Physical address. */
  readonly paddr: number;
  /** Size in memory, in bytes; what `bytes` does not cover is zero. */
  readonly memsz: number;
  /** A view of the image's bytes, not longer than `memsz`. */
  readonly bytes: Uint8Array;
  /** Where `bytes` lies in the image. */
  readonly offset: number;
  /** PF_X 1, PF_W 2, PF_R 4. */
  readonly flags: number;
}

export interface ElfSection {
  readonly name: string;
  readonly vaddr: bigint;
  readonly offset: number;
  /** SHF_WRITE 1, SHF_ALLOC 2, SHF_EXECINSTR 4. */
  readonly flags: number;
  /** Empty for a section without bytes in the image (NOBITS). */
  readonly bytes: Uint8Array;
}

/** An ELF-64 x86-64 image. */
export interface Elf64 {
  readonly bytes: Uint8Array;
  /** e_entry: for vmlinux the physical address of startup_64. */
  readonly entry: number;
  readonly segments: readonly LoadSegment[];
  /** Empty where the section table was stripped. */
  readonly sections: readonly ElfSection[];
}

/** Whether the bytes begin with ELF's magic. */
export function isElf(reader: ByteReader): boolean {
  return reader.has(0, 4) && reader.u32(0, 'ELF magic') === MAGIC;
}

/**
 * @throws FormatError `not-a-kernel` without the magic or for another machine, `not-64-bit` for i386,
 * `truncated` and `malformed`
 */
export function readElf64(bytes: Uint8Array): Elf64 {
  const reader = new ByteReader(bytes);
  if (!isElf(reader)) throw new FormatError('not-a-kernel', 'ELF header', 0, 'no ELF magic');
  const machine = reader.u16(18, 'ELF machine');
  const elfClass = reader.u8(4, 'ELF class');
  if (elfClass === CLASS.elf32 && machine === MACHINE.i386)
    throw new FormatError('not-64-bit', 'ELF header', 4, 'an image for 32-bit x86');
  if (elfClass !== CLASS.elf64 || machine !== MACHINE.x8664 || reader.u8(5, 'ELF data') !== LITTLE_ENDIAN)
    throw new FormatError('not-a-kernel', 'ELF header', 4, `class ${elfClass}, machine ${machine}: not x86-64`);
  return {
    bytes,
    entry: reader.size64(24, 'ELF entry'),
    segments: readSegments(reader),
    sections: readSections(reader),
  };
}

function readSegments(reader: ByteReader): LoadSegment[] {
  const table = reader.size64(32, 'ELF phoff');
  const entrySize = reader.u16(54, 'ELF phentsize');
  const count = reader.u16(56, 'ELF phnum');
  if (count === 0 || count > MOST_SEGMENTS || entrySize < PROGRAM_HEADER)
    throw new FormatError('malformed', 'ELF header', 54, `${count} program headers of ${entrySize} bytes`);
  const segments: LoadSegment[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * entrySize;
    const what = `program header ${i}`;
    if (reader.u32(at, what) !== PT_LOAD) continue;
    const offset = reader.size64(at + 8, what);
    const filesz = reader.size64(at + 32, what);
    const memsz = reader.size64(at + 40, what);
    if (filesz > memsz) throw new FormatError('malformed', what, at, `${filesz} bytes for ${memsz} of memory`);
    segments.push({
      vaddr: reader.u64(at + 16, what),
      paddr: reader.size64(at + 24, what),
      memsz,
      bytes: reader.slice(offset, filesz, what),
      offset,
      flags: reader.u32(at + 4, what),
    });
  }
  checkDisjoint(segments, reader.length, 'ELF program headers', table);
  return segments;
}

/**
 * What is searched once must not be there a thousand times: together the parts have no more bytes than the image, which
 * holds where they don't overlap.
 */
function checkDisjoint(parts: readonly { bytes: Uint8Array }[], limit: number, what: string, table: number): void {
  const total = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (total > limit) throw new FormatError('malformed', what, table, `${total} bytes in an image of ${limit}`);
}

function readSections(reader: ByteReader): ElfSection[] {
  const table = reader.size64(40, 'ELF shoff');
  const entrySize = reader.u16(58, 'ELF shentsize');
  const count = reader.u16(60, 'ELF shnum');
  const namesIndex = reader.u16(62, 'ELF shstrndx');
  if (table === 0 || count === 0) return [];
  if (count > MOST_SECTIONS || entrySize < SECTION_HEADER || namesIndex >= count)
    throw new FormatError('malformed', 'ELF header', 58, `${count} sections of ${entrySize} bytes`);
  const header = (i: number) => {
    const at = table + i * entrySize;
    const what = `section header ${i}`;
    const type = reader.u32(at + 4, what);
    const offset = reader.size64(at + 24, what);
    const size = type === SHT_NOBITS ? 0 : reader.size64(at + 32, what);
    return {
      nameOffset: reader.u32(at, what),
      // The flags have 64 bits, those used here are low.
      flags: reader.u32(at + 8, what),
      vaddr: reader.u64(at + 16, what),
      offset,
      // Index 0 is reserved and may hold anything.
      bytes: i === 0 || size === 0 ? new Uint8Array(0) : reader.slice(offset, size, what),
    };
  };
  const names = new ByteReader(header(namesIndex).bytes);
  const sections: ElfSection[] = [];
  for (let i = 1; i < count; i++) {
    const { nameOffset, ...rest } = header(i);
    sections.push({ name: names.has(nameOffset, 1) ? names.cString(nameOffset, 256, 'section name') : '', ...rest });
  }
  checkDisjoint(sections, reader.length, 'ELF section headers', table);
  return sections;
}
