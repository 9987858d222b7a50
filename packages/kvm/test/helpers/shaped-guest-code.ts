import { PAGE_BYTES, type View } from '../../src/port/index.ts';
import type { GuestStep } from './shaped-guest.ts';

/** Guest-physical map: page tables, code and the log of reads, all private. Steps use addresses above. */
export const MAP = { pml4: 0x8000, pdpt: 0x9000, directories: 0xa000, log: 0x10_000, code: 0x20_000 } as const;
/** The guest sees RAM with the C bit at 0 and without it from here on. */
export const SHARED_WINDOW = 2 ** 30;
export const CALL_PORT = 0x510;
export const DONE_PORT = 0x511;

/** Machine code of the steps. RBX is where the next read is logged. */
export function assemble(steps: readonly GuestStep[]): Uint8Array {
  const code: number[] = [...movRbx(MAP.log)];
  for (const step of steps) {
    switch (step.do) {
      case 'write':
        code.push(...movRdi(gva(step.view, step.gpa)), ...movRax(step.value), ...STORE[step.size]);
        break;
      case 'read':
        code.push(...movRdi(gva(step.view, step.gpa)), ...LOAD, ...LOG);
        break;
      case 'exchange':
        // lock xadd: a locked read-modify-write.
        code.push(...movRdi(gva(step.view, step.gpa)), ...movRax(step.value), 0xf0, 0x48, 0x0f, 0xc1, 0x07, ...LOG);
        break;
      case 'fill':
        // rep stosq
        code.push(
          ...movRdi(gva(step.view, step.gpa)),
          ...movRax(step.value),
          ...movRcx(step.bytes / 8),
          0xf3,
          0x48,
          0xab,
        );
        break;
      case 'execute':
        // call rdi
        code.push(...movRdi(gva(step.view, step.gpa)), 0xff, 0xd7);
        break;
      case 'call':
        code.push(...movRax(step.action), ...movRdx(CALL_PORT), 0xef);
        break;
    }
  }
  code.push(...movRdx(DONE_PORT), 0xef, 0xeb, 0xfe);
  return Uint8Array.from(code);
}

/** mov [rdi], al; mov [rdi], rax; movq xmm0, rax + punpcklqdq + movups [rdi], xmm0. */
const STORE = {
  1: [0x88, 0x07],
  8: [0x48, 0x89, 0x07],
  16: [0x66, 0x48, 0x0f, 0x6e, 0xc0, 0x66, 0x0f, 0x6c, 0xc0, 0x0f, 0x11, 0x07],
} as const;
const LOAD = [0x48, 0x8b, 0x07];
/** mov [rbx], eax; add rbx, 4 */
const LOG = [0x89, 0x03, 0x48, 0x83, 0xc3, 0x04];

const movRax = (value: number): number[] => [0x48, 0xb8, ...u64(value)];
const movRbx = (value: number): number[] => [0x48, 0xbb, ...u64(value)];
const movRcx = (value: number): number[] => [0x48, 0xb9, ...u64(value)];
const movRdx = (value: number): number[] => [0x48, 0xba, ...u64(value)];
const movRdi = (value: number): number[] => [0x48, 0xbf, ...u64(value)];

function gva(view: View, gpa: number): number {
  return view === 'private' ? gpa : gpa + SHARED_WINDOW;
}

function u64(value: number): number[] {
  return [...new Uint8Array(new BigUint64Array([BigInt(value)]).buffer)];
}

/** Two GiB of 2 MiB pages: the first with the C bit in every entry, the second without; the tables with it. */
export function pageTables(cBit: number): { readonly gpa: number; readonly bytes: Uint8Array } {
  const tables = new BigUint64Array((4 * PAGE_BYTES) / 8);
  const c = 1n << BigInt(cBit);
  const present = 7n;
  const large = 0x80n;
  const words = PAGE_BYTES / 8;
  tables[0] = BigInt(MAP.pdpt) | c | present;
  for (const window of [0, 1]) tables[words + window] = BigInt(MAP.directories + window * PAGE_BYTES) | c | present;
  for (let index = 0; index < words; index++) {
    const entry = (BigInt(index) << 21n) | large | present;
    tables[2 * words + index] = entry | c;
    tables[3 * words + index] = entry;
  }
  return { gpa: MAP.pml4, bytes: new Uint8Array(tables.buffer) };
}
