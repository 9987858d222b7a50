/**
 * Random sequences of x86-64 user-mode instructions with the registers and memory they start from. Case `index` of a
 * seed is the same on every machine and needs no case before it.
 */
import { CaseContext, type Patch } from './case-context.ts';
import { type CpuState, RCX, RSP } from './cpu-state.ts';
import type { Instruction } from './encode.ts';
import { FAMILIES, type Family, type Form } from './forms/form.ts';
import { FORMS } from './forms/index.ts';
import { CODE_BASE, DATA_SIZE, STATE } from './layout.ts';
import { plainInstruction } from './plain-atom.ts';
import { Random } from './random.ts';
import { type Atom, type Layout, layOut } from './sequence.ts';
import { type AtomMaker, SPECIAL } from './special-atoms.ts';
import { vector } from './values.ts';

export interface TestCase {
  readonly seed: number;
  readonly index: number;
  readonly atoms: readonly Atom[];
  /** Which atoms are in the code. */
  readonly keep: readonly boolean[];
  readonly state: CpuState;
  readonly patches: readonly Patch[];
  readonly layout: Layout;
}

export interface GeneratorOptions {
  readonly seed: number;
  /** Default: all but `mmx`, which nothing that we boot uses. */
  readonly families?: readonly Family[];
  /** Atoms in a sequence, 1 to this. Default 8. */
  readonly longest?: number;
}

/** How often a family is chosen, where it is not 10. */
const WEIGHTS: Partial<Record<Family, number>> = {
  alu: 24,
  mov: 20,
  shift: 14,
  string: 8,
  stack: 12,
  control: 14,
  flags: 6,
  trap: 1,
  hint: 2,
  'sse-state': 3,
  x87: 3,
  'sse-logic': 5,
};

export const DEFAULT_FAMILIES: readonly Family[] = FAMILIES.filter((family) => family !== 'mmx');

/** Rows and makers of one family, with equal chances. */
type Choice = Form | AtomMaker;

export class Generator {
  readonly seed: number;
  readonly #choices: readonly (readonly [Family, readonly Choice[]])[];
  readonly #plain: readonly Form[];
  readonly #longest: number;

  constructor(options: GeneratorOptions) {
    this.seed = options.seed;
    this.#longest = options.longest ?? 8;
    const families = options.families ?? DEFAULT_FAMILIES;
    this.#choices = families.flatMap((family) => {
      const all: readonly Choice[] = [...(FORMS.get(family) ?? []), ...(SPECIAL[family] ?? [])];
      return Array.from({ length: WEIGHTS[family] ?? 10 }, () => [family, all] as const);
    });
    this.#plain = (['alu', 'mov', 'extend', 'condition'] as const).flatMap((family) => FORMS.get(family) ?? []);
  }

  /** What data memory holds before each case's patches. */
  background(): Uint8Array {
    const random = new Random(this.seed, -1);
    const words = new Uint32Array(DATA_SIZE / 4);
    for (let at = 0; at < words.length; at += 4) vector(random, words, at);
    return new Uint8Array(words.buffer);
  }

  case(index: number): TestCase {
    const random = new Random(this.seed, index);
    const length = random.chance(30) ? 1 : random.between(1, this.#longest);
    const chosen: Choice[] = [];
    const families = new Set<Family>();
    for (let i = 0; i < length; i++) {
      const [family, choices] = random.pick(this.#choices);
      families.add(family);
      chosen.push(random.pick(choices));
    }
    const texts = new Set(chosen.map((choice) => (typeof choice === 'function' ? '' : choice.text)));
    const context = new CaseContext(random, {
      string: families.has('string') || texts.has('66 0F F7 /r xr xm r'),
      divide: chosen.some((choice) => typeof choice !== 'function' && choice.div) && random.chance(75),
      table: texts.has('D7 b'),
      frame: texts.has('C9 s'),
    });
    const atoms = chosen.map(
      (choice, at): Atom =>
        typeof choice === 'function'
          ? choice(context, at, length, () => this.#body(context))
          : [plainInstruction(choice, context)],
    );
    const entry = CODE_BASE + (random.chance(12) ? 0x1000 - random.below(48) : random.below(64));
    context.state.word(STATE.rip, entry);
    return place(
      this.seed,
      index,
      atoms,
      atoms.map(() => true),
      context.state,
      context.patches,
    );
  }

  /** One instruction that leaves RCX, RSP and control flow alone. */
  #body(context: CaseContext): Instruction {
    context.forbidden = new Set([RCX, RSP]);
    const instruction = plainInstruction(context.random.pick(this.#plain), context);
    context.forbidden = new Set();
    return instruction;
  }
}

/** The case with these atoms kept: those that read undefined flags are dropped, one by one. */
export function place(
  seed: number,
  index: number,
  atoms: readonly Atom[],
  wanted: readonly boolean[],
  state: CpuState,
  patches: readonly Patch[],
): TestCase {
  const keep = [...wanted];
  for (;;) {
    const layout = layOut(atoms, keep, state.wordAt(STATE.rip));
    if ('starts' in layout) return { seed, index, atoms, keep, state, patches, layout };
    keep[layout.unclear] = false;
  }
}
