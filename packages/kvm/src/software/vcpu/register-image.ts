import { type Engine, layout } from '@unpin/x86';

/** A register, or registers of one kind, in an image: its bytes are little-endian. */
export interface RegisterRow {
  readonly name: string;
  /** Offset in the image, bytes. */
  readonly offset: number;
  readonly size: number;
}

interface Source extends RegisterRow {
  /** Where it lies in the engine's state block; null for RFLAGS, which are made up when asked for. */
  readonly address: number | null;
}

const GENERAL = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'];
const NUMBERED = ['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldt', 'tr'];

const WORDS: readonly (readonly [string, number | null, number])[] = [
  ['rip', layout.RIP, 8],
  ['rflags', null, 8],
  ...[...GENERAL, ...NUMBERED].map((name, index) => [name, layout.REGS + 8 * index, 8] as const),
  ['cr0', layout.CR0, 8],
  ['cr2', layout.CR2, 8],
  ['cr3', layout.CR3, 8],
  ['cr4', layout.CR4, 8],
  ['efer', layout.EFER, 8],
  ['kernel-gs-base', layout.KERNEL_GS_BASE, 8],
  ...SEGMENTS.map((name, index) => [`${name}-base`, layout.SEG_BASE + 8 * index, 8] as const),
  ...SEGMENTS.map((name, index) => [name, layout.SEG_SELECTOR + 4 * index, 4] as const),
  ['gdt', layout.GDT_BASE, 8],
  ['idt', layout.IDT_BASE, 8],
  ['mxcsr', layout.MXCSR, 4],
  ...Array.from({ length: 16 }, (_, index) => [`xmm${index}`, layout.XMM + 16 * index, 16] as const),
  ['x87-control', layout.FPU_CONTROL, 2],
  ['x87-status', layout.FPU_STATUS, 2],
  ['x87-tags', layout.FPU_TAG, 2],
  ...Array.from({ length: 8 }, (_, index) => [`x87-r${index}`, layout.FPU_REGS + 16 * index, 10] as const),
];

const SOURCES: readonly Source[] = placed();

/** What an image holds: all that an instruction can read without asking memory, a device or a clock. */
export const REGISTER_ROWS: readonly RegisterRow[] = SOURCES;

/** Bytes of an image. */
export const REGISTER_IMAGE_BYTES: number = SOURCES.reduce((end, { offset, size }) => Math.max(end, offset + size), 0);

/** Copies the registers of the processor on the core: equal images, equal registers. */
export function registerImage(engine: Engine, into: Uint8Array): void {
  const all = new Uint8Array(engine.memory.buffer, 0, layout.STATE_END);
  for (const { address, offset, size } of SOURCES)
    if (address !== null) into.set(all.subarray(address, address + size), offset);
    else new DataView(into.buffer, into.byteOffset).setBigUint64(offset, engine.cpu.rflags, true);
}

function placed(): readonly Source[] {
  let offset = 0;
  return WORDS.map(([name, address, size]) => {
    const source = { name, address, size, offset };
    offset += size;
    return source;
  });
}
