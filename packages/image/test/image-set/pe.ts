/** EFI programs: enough of the PE format that firmware, and who looks for sections, takes them for one. */

/** Where PE files keep their first section, and to what they round. */
const FILE_ALIGNMENT = 512;
const SECTION_ALIGNMENT = 4096;
const OPTIONAL_HEADER_BYTES = 240;
const PE_OFFSET = 0x80;

export type Sections = readonly (readonly [name: string, bytes: Uint8Array | string])[];

/** A PE32+ program for x86-64 with the sections given. Names of more than 8 characters are in a table at its end. */
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
  let names = '';
  let file = headerBytes;
  let address = up(headerBytes, SECTION_ALIGNMENT);
  for (const [index, [name, content]] of sections.entries()) {
    const bytes = Buffer.from(content as Uint8Array);
    const row = optional + OPTIONAL_HEADER_BYTES + 40 * index;
    const raw = up(bytes.length, FILE_ALIGNMENT);
    header.write(name.length > 8 ? `/${4 + names.length}` : name, row, 8, 'latin1');
    if (name.length > 8) names += `${name}\0`;
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
  if (names !== '') {
    // A table of symbols without any, and the table of strings that stands behind it.
    header.writeUInt32LE(file, coff + 8);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(4 + names.length);
    parts.push(size, Buffer.from(names, 'latin1'));
  }
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

const SBAT = 'sbat,1,SBAT Version,sbat,1,https://example.org/sbat\n';

/** Stands for shim: what tells it from others is its vendor's certificate. */
export function shimProgram(): Buffer {
  return efiProgram([
    ['.text', Buffer.alloc(4096, 0x90)],
    ['.vendor_cert', Buffer.alloc(64, 1)],
    ['.sbat', `${SBAT}shim,4,Nobody,shim,15.8,https://example.org/shim\n`],
  ]);
}

/** Stands for shim's helper that makes boot entries. */
export function fallbackProgram(): Buffer {
  return efiProgram([
    ['.text', Buffer.alloc(4096, 0x90)],
    ['.sbat', `${SBAT}shim,4,Nobody,shim,15.8,https://example.org/shim\n`],
  ]);
}

/** Stands for systemd-boot. */
export function systemdBootProgram(): Buffer {
  return efiProgram([
    ['.text', Buffer.alloc(4096, 0x90)],
    ['.sdmagic', '#### LoaderInfo: systemd-boot 257.9-1 ####\0'],
  ]);
}

/** Kinds of what GRUB carries. */
const GRUB_PREFIX = 3;
const GRUB_MODULE = 0;

/** One of the things that GRUB carries. */
function grubObject(kind: number, content: string): Buffer {
  const bytes = Buffer.alloc(8 + up(content.length + 1, 8));
  bytes.writeUInt32LE(kind);
  bytes.writeUInt32LE(bytes.length, 4);
  bytes.write(content, 8, 'latin1');
  return bytes;
}

/** Stands for GRUB: a section of modules, among them the folder in which its configuration is. */
export function grubProgram(prefix: string): Buffer {
  const objects = [grubObject(GRUB_MODULE, '\x7fELF, a module'), grubObject(GRUB_PREFIX, prefix)];
  const info = Buffer.alloc(24);
  info.write('mimg', 0, 'latin1');
  info.writeBigUInt64LE(24n, 8);
  info.writeBigUInt64LE(BigInt(24 + objects.reduce((sum, { length }) => sum + length, 0)), 16);
  return efiProgram([
    ['.text', Buffer.alloc(4096, 0x90)],
    ['mods', Buffer.concat([info, ...objects])],
  ]);
}

/** Any other program of EFI. */
export function efiApplication(words: string): Buffer {
  return efiProgram([
    ['.text', Buffer.alloc(4096, 0x90)],
    ['.rdata', words],
  ]);
}

function up(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
