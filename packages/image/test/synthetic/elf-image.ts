import { padding, u16, u32, u64 } from './little-endian.ts';

export interface ElfPart {
  readonly name: string;
  readonly vaddr: bigint;
  readonly bytes: Uint8Array;
  /** SHF_EXECINSTR 4. */
  readonly sectionFlags?: number;
  /** PF_X 1; a part without segment flags is a section only. */
  readonly segmentFlags?: number;
  readonly memsz?: number;
}

const KERNEL_MAP = 0xffffffff80000000n;

/** An ELF64 x86-64 file of segments and sections, with names. */
export function elfImage(parts: readonly ElfPart[], options: { entry?: number; sections?: boolean } = {}): Buffer {
  const loads = parts.filter(({ segmentFlags }) => segmentFlags !== undefined);
  const names = Buffer.from(`\0${parts.map(({ name }) => `${name}\0`).join('')}.shstrtab\0`, 'latin1');
  const contents: Uint8Array[] = [];
  let offset = 64 + 56 * loads.length;
  const place = (bytes: Uint8Array): number => {
    const pad = padding(offset, 16);
    contents.push(pad, Buffer.from(bytes));
    const at = offset + pad.length;
    offset = at + bytes.length;
    return at;
  };
  const offsets = parts.map(({ bytes }) => place(bytes));
  const namesOffset = place(names);
  const table: Uint8Array[] = [Buffer.alloc(64)];
  parts.forEach(({ name, vaddr, bytes, sectionFlags }, i) => {
    const nameOffset = names.indexOf(`\0${name}\0`) + 1;
    table.push(section(nameOffset, 1, sectionFlags ?? 2, vaddr, offsets[i] ?? 0, bytes.length));
  });
  table.push(section(names.indexOf('.shstrtab'), 3, 0, 0n, namesOffset, names.length));
  const withSections = options.sections ?? true;
  const tableOffset = place(Buffer.concat(table));
  const programHeaders = parts.flatMap(({ vaddr, bytes, segmentFlags, memsz }, i) =>
    segmentFlags === undefined
      ? []
      : [
          Buffer.concat([
            u32(1, segmentFlags),
            u64(offsets[i] ?? 0, vaddr, vaddr - KERNEL_MAP, bytes.length, memsz ?? bytes.length, 16),
          ]),
        ],
  );
  const header = Buffer.concat([
    Buffer.from('\x7fELF\x02\x01\x01', 'latin1'),
    Buffer.alloc(9),
    u16(2, 62),
    u32(1),
    u64(options.entry ?? 0x1000000, 64, withSections ? tableOffset : 0),
    u32(0),
    u16(64, 56, loads.length, 64, withSections ? table.length : 0, withSections ? table.length - 1 : 0),
  ]);
  return Buffer.concat([header, ...programHeaders, ...contents]);
}

function section(name: number, type: number, flags: number, vaddr: bigint, offset: number, size: number): Buffer {
  return Buffer.concat([u32(name, type), u64(flags, vaddr, offset, size), u32(0, 0), u64(16, 0)]);
}
