/** Laying out a sequence of atoms as code, and following the flags that it leaves undefined. */
import type { Instruction, Label } from './encode.ts';
import { flagEffects, STATUS_FLAGS } from './flags.ts';

/** Instructions that belong together: what the generator makes and the shrinker drops as one. */
export type Atom = readonly Instruction[];

export interface Layout {
  readonly code: Uint8Array;
  /** Linear address of each kept instruction, ascending, and last the end. */
  readonly starts: readonly number[];
  /**
   * Beside each of `starts`: the flags that are undefined when a fault or the end leaves RIP there. For an instruction
   * that faults they include those that it may have left undefined itself.
   */
  readonly unsure: readonly number[];
}

/** A sequence that reads a flag at a place where it is undefined can't be compared: its first such atom. */
export interface Unclear {
  readonly unclear: number;
}

/** Lays out the kept atoms from a linear address on. Labels of dropped atoms lead to the next one kept. */
export function layOut(atoms: readonly Atom[], keep: readonly boolean[], at: number): Layout | Unclear {
  const instructions: Instruction[] = [];
  const owner: number[] = [];
  const firstOf: number[] = [];
  atoms.forEach((atom, index) => {
    firstOf.push(instructions.length);
    if (keep[index] !== true) return;
    for (const instruction of atom) {
      instructions.push(instruction);
      owner.push(index);
    }
  });
  firstOf.push(instructions.length);

  const starts: number[] = [];
  let next = at;
  for (const { bytes } of instructions) {
    starts.push(next);
    next += bytes.length;
  }
  starts.push(next);
  const resolve = (label: Label, from: number): number =>
    label.kind === 'atom'
      ? (firstOf[Math.min(label.atom, atoms.length)] ?? 0)
      : (firstOf[owner[from] ?? 0] ?? 0) + label.instruction;

  const code = new Uint8Array(next - at);
  let position = 0;
  instructions.forEach(({ bytes, fix }, index) => {
    code.set(bytes, position);
    const end = (starts[index] ?? 0) + bytes.length;
    if (fix !== undefined) {
      const target = fix.kind === 'address' ? fix.target : (starts[resolve(fix.label, index)] ?? 0);
      const width = fix.kind === 'address' ? 4 : fix.bytes;
      for (let i = 0; i < width; i++) code[position + fix.position + i] = ((target - end) >> (8 * i)) & 0xff;
    }
    position += bytes.length;
  });

  const entering = flow(instructions, resolve);
  const bad = instructions.findIndex((each, index) => (flagEffects(each).read & (entering[index] ?? 0)) !== 0);
  if (bad >= 0) return { unclear: owner[bad] ?? 0 };
  const unsure = entering.map((mask, index) => {
    const instruction = instructions[index];
    if (instruction === undefined) return mask;
    // A fault amid a repeated compare: the manuals don't agree on whose flags stay.
    return mask | flagEffects(instruction).undefined | (instruction.conditional ? STATUS_FLAGS : 0);
  });
  return { code, starts, unsure };
}

/** Flags undefined on entry to each instruction, and last at the end: the union over every way that leads there. */
function flow(instructions: readonly Instruction[], resolve: (label: Label, from: number) => number): number[] {
  const entering = Array.from({ length: instructions.length + 1 }, () => 0);
  for (let changed = true; changed; ) {
    changed = false;
    const join = (to: number, mask: number): void => {
      const before = entering[to] ?? 0;
      if ((before | mask) === before) return;
      entering[to] = before | mask;
      changed = true;
    };
    instructions.forEach((instruction, index) => {
      const effects = flagEffects(instruction);
      const kept = instruction.conditional ? 0 : effects.defined;
      const after = ((entering[index] ?? 0) & ~kept) | effects.undefined;
      const way = instruction.flow;
      if (way === 'next' || way === 'branch') join(index + 1, after);
      if (way === 'branch' || way === 'jump') {
        if (instruction.fix?.kind === 'label') join(resolve(instruction.fix.label, index), after);
        // A RET to whatever the stack holds: most fault, but an earlier CALL may have left an address of this code.
        else if (way === 'jump') entering.forEach((_, to) => join(to, after));
      } else if (way !== 'next') join(resolve(way.to, index), after);
    });
  }
  return entering;
}
