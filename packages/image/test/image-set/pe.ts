/** EFI programs: enough of the PE format that firmware, and who looks for sections, takes them for one. */

/** Where PE files keep their first section, and to what they round. */
const FILE_ALIGNMENT = 512;
const SECTION_ALIGNMENT = 4096;
const OPTIONAL_HEADER_BYTES = 240;
const PE_OFFSET = 0x80;

export type Sections = readonly (readonly [name: string, bytes: Uint8Array | string])[];

/** A PE32+ program for x86-64 with the sections given; names have at most 8 characters. */
export function efiProgram(sections: Sections): Buffer {
  const headerBytes = up(PE_OFFSET + 24 + OPTIONAL_HEADER_BYTES + 40 * sections.length, FILE_ALIGNMENT);
  const header = Buffer.alloc(headerBytes);
  header.write('MZ', 0, 'latin1');
  header.writeUInt32LE(PE_OFFSET, 0x3c);
  header.write('PE\0\0', PE_OFFSET, 'latin1');
  const coff = PE_OFFSET + 4;
  header.writeUInt16LE(0x8664, coff);
  header.writeUInt16LE(sections.length, coff + 2);
  header.writeUInt16LE(OPTIONAL_HEADER_BYTES, coff + 16);
  header.writeUInt16LE(0x22e, coff + 18);
  const optional = coff + 20;
  header.writeUInt16LE(0x20b, optional);
  header.writeUInt32LE(SECTION_ALIGNMENT, optional + 32);
  header.writeUInt32LE(FILE_ALIGNMENT, optional + 36);
  header.writeUInt32LE(headerBytes, optional + 60);
  // An EFI application.
  header.writeUInt16LE(10, optional + 68);
  header.writeUInt32LE(16, optional + 108);

  const parts: Buffer[] = [header];
  let file = headerBytes;
  let address = up(headerBytes, SECTION_ALIGNMENT);
  for (const [index, [name, content]] of sections.entries()) {
    const bytes = Buffer.from(content as Uint8Array);
    const row = optional + OPTIONAL_HEADER_BYTES + 40 * index;
    const raw = up(bytes.length, FILE_ALIGNMENT);
    header.write(name, row, 8, 'latin1');
    header.writeUInt32LE(bytes.length, row + 8);
    header.writeUInt32LE(address, row + 12);
    header.writeUInt32LE(raw, row + 16);
    header.writeUInt32LE(file, row + 20);
    header.writeUInt32LE(0x40000040, row + 36);
    parts.push(bytes, Buffer.alloc(raw - bytes.length));
    file += raw;
    address = up(address + bytes.length, SECTION_ALIGNMENT);
  }
  header.writeUInt32LE(address, optional + 56);
  return Buffer.concat(parts);
}

/** A unified kernel image as systemd's tools lay it out. */
export function unifiedKernel(
  release: string,
  linux: Uint8Array,
  initrd: Uint8Array,
  commandLine: string | undefined,
): Buffer {
  return efiProgram([
    ['.text', Buffer.alloc(64, 0xf4)],
    ['.osrel', 'ID=debian\nVERSION_ID=13\nPRETTY_NAME="A Linux of the set"\n'],
    ['.uname', release],
    ...(commandLine === undefined ? [] : ([['.cmdline', `${commandLine}\n\0`]] as const)),
    ['.initrd', initrd],
    ['.linux', linux],
  ]);
}

/** Stands for a loader's own program, which nobody looks into: `words` is what makes it differ from others. */
export function loaderProgram(words: string): Buffer {
  return efiProgram([
    ['.text', Buffer.alloc(4096, 0x90)],
    ['.rodata', words],
  ]);
}

function up(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
