import type { Bench, BenchResult } from '../../../scripts/bench.ts';
import { engineProblem } from '../src/built.ts';
import * as layout from '../src/layout.ts';
import { FlatMachine, readWord, writeWord } from '../test/support/flat-machine.ts';
import { kernelLike, type Program, STACK } from './kernel-like.ts';

/** Instructions a run; many, so that a slow moment of the machine costs one of them. */
const CHUNK = 1_000_000;
const SECONDS = 2;

const TIGHT: readonly (readonly [string, string])[] = [
  // add rax, rcx; dec rcx; jnz
  ['registers only', '48 01 c8 48 ff c9 75 f8'],
  // mov rax, [rdi]; add [rdi + 8], rax; inc rdi… as a loop over one page: add edx, 16; and edx, 0xff0
  ['loads and stores', '48 8b 04 17 48 01 44 17 08 83 c2 10 81 e2 f0 0f 00 00 eb ec'],
  // a call and a return
  ['call and return', 'e8 02 00 00 00 eb f9 48 ff c0 c3'],
];

function machineWith(program: Program): FlatMachine {
  const machine = new FlatMachine();
  for (const { at, bytes } of program.parts) machine.load(at, bytes);
  const { words } = machine.engine;
  writeWord(words, layout.RIP, BigInt(program.entry));
  writeWord(words, layout.REGS + 8 * 4, BigInt(STACK));
  writeWord(words, layout.REGS + 8 * 7, 0x80_0000n);
  return machine;
}

/**
 * Million guest instructions a second of processor time: the best of many runs, the first of which V8 compiles in. Not of
 * the clock, so that what else the machine does counts less.
 */
function mips(machine: FlatMachine): number {
  const { engine } = machine;
  let best = 0;
  const end = performance.now() + SECONDS * 1000 + 500;
  while (performance.now() < end) {
    const start = process.cpuUsage();
    const reason = engine.run(CHUNK);
    if (reason !== layout.EXIT_BUDGET) throw new Error(`the benchmark's code ended with exit ${reason}`);
    const retired = CHUNK - Number(BigInt.asIntN(64, readWord(engine.words, layout.BUDGET)));
    const { user, system } = process.cpuUsage(start);
    best = Math.max(best, retired / (user + system));
  }
  return best;
}

export const bench: Bench = {
  title: 'the x86 interpreter, all checks on (million guest instructions a second of processor time)',
  unavailable: engineProblem,
  async run(progress) {
    const results: BenchResult[] = [];
    for (const functions of [2048, 512, 64]) {
      const ours = mips(machineWith(kernelLike(functions)));
      results.push({
        name: `kernel-like code, ${functions} hot functions`,
        unit: 'MIPS',
        ours,
        goal: '≥ 80',
        met: ours >= 80,
      });
      progress(`${functions} functions`);
    }
    for (const [name, hex] of TIGHT) {
      const bytes = Uint8Array.from(hex.split(' '), (byte) => Number.parseInt(byte, 16));
      results.push({
        name: `tight loop: ${name}`,
        unit: 'MIPS',
        ours: mips(machineWith({ entry: 0x1000, parts: [{ at: 0x1000, bytes }] })),
      });
      progress(name);
    }
    return results;
  },
};
