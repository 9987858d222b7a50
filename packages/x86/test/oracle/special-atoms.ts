/** Atoms that a single row can't make: control flow, and instructions that need others around them to be comparable. */
import type { CaseContext } from './case-context.ts';
import type { Fix, Flow, Instruction, Label, MemoryOperand, Operands } from './encode.ts';
import { encode } from './encode.ts';
import type { Family, Form } from './forms/form.ts';
import { form } from './forms/form.ts';
import type { Atom } from './sequence.ts';

/** Makes an atom for position `at` of a sequence of `length` atoms. `body` makes one plain instruction. */
export type AtomMaker = (context: CaseContext, at: number, length: number, body: () => Instruction) => Atom;

/** Keys for flag effects of instructions that no row has: above all of the table's. */
let nextKey = 1 << 28;
const keys = new Map<string, number>();

function raw(bytes: readonly number[], kind: string, flow: Flow = 'next', fix?: Fix): Instruction {
  const known = keys.get(kind) ?? nextKey++;
  keys.set(kind, known);
  return { bytes: Uint8Array.from(bytes), fix, flagsKey: known, conditional: false, alsoUndefined: 0, flow };
}

/** Opcode bytes, then a displacement of so many bytes that leads to the label. */
function branch(opcode: readonly number[], bytes: 1 | 4, label: Label, flow: Flow): Instruction {
  const zeros = bytes === 1 ? [0] : [0, 0, 0, 0];
  return raw([...opcode, ...zeros], `branch ${opcode.join(' ')}`, flow, {
    kind: 'label',
    position: opcode.length,
    bytes,
    label,
  });
}

let nextForm = 1 << 16;
const made = new Map<string, Form>();
function row(family: Family, text: string): Form {
  const known = made.get(text) ?? form(nextForm++, family, text);
  made.set(text, known);
  return known;
}

/** An instruction with one memory operand, by its row. */
function memoryForm(family: Family, text: string, rm: MemoryOperand, immediate: readonly [number, number] = [0, 0]) {
  return encode(row(family, text), { size: 32, reg: 0, rm, immediate, lock: false, rep: 0 });
}

function absolute(displacement: number): MemoryOperand {
  return { base: -1, index: -1, scale: 0, displacement, displacementBytes: 4, address32: false };
}

/** Forward, over at most four atoms. */
function ahead(context: CaseContext, at: number, length: number): Label {
  return { kind: 'atom', atom: Math.min(length, at + 1 + context.random.below(4)) };
}

const inside = (instruction: number): Label => ({ kind: 'instruction', instruction });

/** LEA of a label into a general register (RIP-relative): the register is not RSP. */
function leaLabel(register: number, label: Label): Instruction {
  const bytes = [0x48 | (register > 7 ? 4 : 0), 0x8d, 0x05 | ((register & 7) << 3), 0, 0, 0, 0];
  return raw(bytes, 'lea', 'next', { kind: 'label', position: 3, bytes: 4, label });
}

function store64(reg: number, rm: MemoryOperand): Operands {
  return { size: 64, reg, rm, immediate: [0, 0], lock: false, rep: 0 };
}

/** Register for a jump's target: neither RSP nor one with a part to play. */
function spare(context: CaseContext): number {
  for (;;) {
    const register = context.gpr();
    if (!context.reserved.has(register)) return register;
  }
}

const rexB = (register: number): number[] => (register > 7 ? [0x41] : []);

const jump: AtomMaker = (context, at, length) => {
  const label = ahead(context, at, length);
  const { random } = context;
  const code = random.below(16);
  switch (random.below(6)) {
    case 0:
      return [branch([0xeb], 1, label, 'jump')];
    case 1:
      return [branch([0xe9], 4, label, 'jump')];
    case 2:
      return [branch([0x0f, 0x80 | code], 4, label, 'branch')];
    case 3:
      // LOOPNE, LOOPE, LOOP, JRCXZ; with 67 they use ECX.
      return [branch([...(random.chance(25) ? [0x67] : []), 0xe0 + random.below(4)], 1, label, 'branch')];
    default:
      return [branch([0x70 | code], 1, label, 'branch')];
  }
};

/** MOV ECX, n; a body that leaves RCX alone; LOOP back to the body. */
const loop: AtomMaker = (context, _at, _length, body) => {
  const { random } = context;
  const instruction = body();
  const opcode = random.chance(60) ? 0xe2 : 0xe0 + random.below(2);
  const bytes = [...(random.chance(25) ? [0x67] : []), opcode];
  return [raw([0xb9, random.between(1, 5), 0, 0, 0], 'mov ecx'), instruction, branch(bytes, 1, inside(1), 'branch')];
};

/** JMP over a subroutine, CALL it; it returns with RET or RET n. */
const subroutine: AtomMaker = (context, _at, _length, body) => {
  const { random } = context;
  const back: Flow = { to: inside(4) };
  const ret = random.chance(60) ? raw([0xc3], 'ret', back) : raw([0xc2, 8 * random.below(3), 0], 'ret n', back);
  return [branch([0xeb], 1, inside(3), 'jump'), body(), ret, branch([0xe8], 4, inside(1), 'jump')];
};

/** CALL forward, indirect JMP or CALL, PUSH and RET. */
const indirect: AtomMaker = (context, at, length) => {
  const label = ahead(context, at, length);
  const flow: Flow = { to: label };
  const { random } = context;
  const register = spare(context);
  switch (random.below(4)) {
    case 0:
      return [branch([0xe8], 4, label, 'jump')];
    case 1: {
      const digit = random.chance(50) ? 0xd0 : 0xe0;
      return [leaLabel(register, label), raw([...rexB(register), 0xff, digit | (register & 7)], 'call r', flow)];
    }
    case 2: {
      const target = absolute(context.address(8, false));
      const store = encode(row('mov', '89 /r v'), store64(register, target));
      const digit = random.chance(50) ? '/2' : '/4';
      const go = memoryForm('control', `FF ${digit} m m8`, target);
      return [leaLabel(register, label), store, { ...go, flow }];
    }
    default:
      return [
        leaLabel(register, label),
        raw([...rexB(register), 0x50 | (register & 7)], 'push'),
        raw([0xc3], 'ret', flow),
      ];
  }
};

/** RET to whatever the stack holds, JMP to whatever a register does: they fault. */
const stray: AtomMaker = (context) => {
  const register = spare(context);
  return context.random.chance(50)
    ? [raw([0xc3], 'ret', 'jump')]
    : [raw([...rexB(register), 0xff, 0xe0 | (register & 7)], 'jmp r', 'jump')];
};

/** POPF of flags without TF and AC, which would change how everything after runs. */
const popf: AtomMaker = ({ random }) =>
  random.chance(75)
    ? [raw([0x48, 0x81, 0x24, 0x24, 0xd7, 0x0e, 0x20, 0x00], 'and q'), raw([0x9d], 'popfq')]
    : [raw([0x66, 0x81, 0x24, 0x24, 0xd7, 0x0e], 'and w'), raw([0x66, 0x9d], 'popfw')];

/** ENTER with up to three levels: a store below RSP, RBP's chain read. */
const enter: AtomMaker = ({ random }) => [
  raw([0xc8, random.below(200), 0, random.chance(60) ? 0 : random.below(4)], 'enter'),
];

/** BSF and BSR of 16 or 32 bits with a source that is not zero: for zero, makers differ in the upper half. */
const bitScan: AtomMaker = ({ random }) => {
  const source = random.below(4);
  const word = random.chance(40) ? [0x66] : [];
  const bit = 1 << random.below(7);
  return [
    raw([...word, 0x83, 0xc8 | source, bit], 'or'),
    raw([...word, 0x0f, random.chance(50) ? 0xbc : 0xbd, 0xc0 | (random.below(4) << 3) | source], 'bsf'),
  ];
};

/** SHLD and SHRD of 16 bits by CL: above 16 the result is undefined. */
const doubleShift16: AtomMaker = ({ random }) => {
  const opcode = random.chance(50) ? 0xa5 : 0xad;
  const shift = raw([0x66, 0x0f, opcode, 0xc0 | random.below(64)], 'shld cl');
  return [raw([0x80, 0xe1, 0x0f], 'and cl'), { ...shift, conditional: true }];
};

/** LDMXCSR of a value without reserved bits; now and then exceptions are unmasked. */
const loadMxcsr: AtomMaker = (context) => {
  const { random } = context;
  const at = absolute(context.address(4, false));
  const value = random.next() & (random.chance(90) ? 0xe040 : 0xe07f) & 0xffff;
  const masks = random.chance(92) ? 0x1f80 : 0x1f80 & random.next();
  return [memoryForm('mov', 'C7 /0 iz v m', at, [value | masks, 0]), memoryForm('sse-state', '0F AE /2 m m4', at)];
};

const loadControl: AtomMaker = (context) => {
  const { random } = context;
  const at = absolute(context.address(4, false));
  const value = 0x37f ^ (random.next() & 0x0f00);
  return [memoryForm('mov', 'C7 /0 iz v m', at, [value, 0]), memoryForm('x87', 'D9 /5 m m2', at)];
};

/**
 * FXSAVE, with what makers store differently made alike: C0, C2, C3 of the status, the last instruction and operand,
 * MXCSR's mask. Then sometimes FXRSTOR of the same image.
 */
const saveFx: AtomMaker = (context) => {
  const { random } = context;
  const at = context.address(512, true);
  const wide = random.chance(50) ? ' W' : '';
  const quad = (offset: number): Instruction[] => [
    memoryForm('mov', 'C7 /0 iz v m', absolute(at + offset)),
    memoryForm('mov', 'C7 /0 iz v m', absolute(at + offset + 4)),
  ];
  return [
    memoryForm('sse-state', `0F AE /0 m m512${wide}`, absolute(at)),
    memoryForm('alu', '81 /4 iz v m', absolute(at), [0xbaff_ffff, 0]),
    memoryForm('alu', '81 /4 iz v m', absolute(at + 4), [0xff, 0]),
    ...quad(8),
    ...quad(16),
    memoryForm('mov', 'C7 /0 iz v m', absolute(at + 28)),
    ...(random.chance(50) ? [memoryForm('sse-state', `0F AE /1 m m512${wide}`, absolute(at))] : []),
  ];
};

/** Beside the rows: so many makers stand for so many rows of the family. */
export const SPECIAL: Partial<Record<Family, readonly AtomMaker[]>> = {
  control: [jump, jump, jump, jump, loop, loop, subroutine, subroutine, indirect, indirect, stray],
  stack: [popf, popf, enter, enter],
  bit: [bitScan, bitScan],
  shift: [doubleShift16],
  'sse-state': [loadMxcsr, saveFx],
  x87: [loadControl],
};
