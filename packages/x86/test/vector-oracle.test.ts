/** SSE, MMX and the x87 against the host's own processor, MXCSR's and the control word's modes included. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { EngineBare } from '../lockstep/engine-bare.ts';
import { BareRunner, caseImage } from './oracle/bare-runner.ts';
import type { Outcome } from './oracle/batch.ts';
import { CpuState } from './oracle/cpu-state.ts';
import { differ } from './oracle/differ.ts';
import { Generator, type TestCase } from './oracle/generator.ts';
import { CODE_BASE, DATA_SIZE, FX, STATE } from './oracle/layout.ts';
import { NativeOracle } from './oracle/native.ts';
import { NoNativeOracle, nativeProgram } from './oracle/native-build.ts';
import { Random } from './oracle/random.ts';
import { describeMismatch } from './oracle/report.ts';
import { OPERAND, OPERAND_BYTES, type X87Case, x87Case } from './oracle/x87-cases.ts';

const skip = ((): string | false => {
  try {
    nativeProgram();
  } catch (error) {
    if (error instanceof NoNativeOracle) return error.message;
    throw error;
  }
  // What MXCSR and C1 hold after an exception, and which faults MASKMOVDQU takes, is each maker's own.
  return readFileSync('/proc/cpuinfo', 'latin1').includes('AuthenticAMD')
    ? false
    : "the engine is an AMD's, the host isn't";
})();

/** Cases with MXCSR as programs rarely have it. */
class WithMxcsr extends Generator {
  override case(index: number): TestCase {
    const made = super.case(index);
    const random = new Random(this.seed, index);
    const mxcsr = random.pick([
      0x1fa0,
      0x1f80 | (random.next() & 0xe07f),
      0x1fa0 | (random.below(4) << 13),
      random.next() & 0xffc0,
    ]);
    made.state.word(STATE.fx + FX.mxcsr, mxcsr);
    return made;
  }
}

describe('vectors as the host has them', { skip, timeout: 120_000 }, () => {
  for (const families of [
    ['sse-move', 'sse-integer', 'sse-shuffle', 'sse-logic', 'sse-state'],
    ['sse-arithmetic', 'sse-compare', 'sse-convert'],
    ['mmx', 'x87'],
  ] as const)
    test(families.join(', '), async () => {
      const generator = new WithMxcsr({ seed: 17, families });
      using native = new NativeOracle(generator.background());
      const runner = new BareRunner(new EngineBare(caseImage()));
      const { mismatch, compared, unsupported } = await differ({ generator, native, runner, count: 6000 });
      assert.equal(mismatch === undefined ? '' : describeMismatch(mismatch), '');
      assert.deepEqual([...unsupported], []);
      assert.ok(compared > 5900);
    });

  test('single x87 instructions in every mode', async () => {
    const background = new Uint8Array(DATA_SIZE);
    using native = new NativeOracle(background);
    const runner = new BareRunner(new EngineBare(caseImage()));
    for (let from = 0; from < 8000; from += 1000) {
      const cases = Array.from({ length: 1000 }, (_, i) => x87Case(23, from + i));
      const outcomes = await native.run(cases);
      for (const [i, each] of cases.entries()) {
        const outcome = outcomes[i];
        assert.ok(outcome);
        assert.deepEqual(ours(runner, each), theirs(each, outcome), `case ${from + i}, ${each.name}`);
      }
    }
  });
});

/** What the engine makes of a case, as text by name. */
function ours(runner: BareRunner, { state, code, patches }: X87Case): Record<string, string> {
  const after = new CpuState();
  after.copyFrom(state);
  const data = new Uint8Array(DATA_SIZE);
  for (const { offset, bytes } of patches) data.set(bytes, offset);
  const refused = runner.run({ code, entry: CODE_BASE, end: CODE_BASE + code.length }, after, data);
  assert.equal(refused, undefined);
  return seen(after, data);
}

function theirs({ patches }: X87Case, { state, changes }: Outcome): Record<string, string> {
  const data = new Uint8Array(DATA_SIZE);
  for (const { offset, bytes } of [...patches, ...changes]) data.set(bytes, offset);
  return seen(state, data);
}

/** All that an x87 instruction can change, but for pointers to the last one: makers keep them differently. */
function seen(state: CpuState, data: Uint8Array): Record<string, string> {
  const text = (from: number, size: number): string =>
    Buffer.from(state.bytes.subarray(from, from + size))
      .toReversed()
      .reduce((all, byte) => all + byte.toString(16).padStart(2, '0'), '');
  const operand = data.slice(OPERAND, OPERAND + OPERAND_BYTES);
  if (operand[3] === 0xff && operand[7] === 0xff && operand[11] === 0xff) operand.fill(0, 12, 28);
  return {
    rax: text(STATE.gpr, 8),
    vector: text(STATE.vector, 4),
    flags: text(STATE.rflags, 4),
    control: text(STATE.fx + FX.control, 2),
    status: text(STATE.fx + FX.status, 2),
    tags: text(STATE.fx + FX.tag, 1),
    memory: Buffer.from(operand).toString('hex'),
    ...Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`st${i}`, text(STATE.fx + FX.registers + 16 * i, 10)] as const),
    ),
  };
}
