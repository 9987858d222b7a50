/**
 * The engine beside the host's own processor: random sequences of every family, registers, flags and memory compared.
 * A million in CI, a hundred thousand elsewhere; test/oracle/run.ts runs more, and says how to see one again.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EngineBare } from '../lockstep/engine-bare.ts';
import { engineProblem } from '../src/built.ts';
import { BareRunner, caseImage } from './oracle/bare-runner.ts';
import { differ } from './oracle/differ.ts';
import { Generator } from './oracle/generator.ts';
import { NativeOracle } from './oracle/native.ts';
import { NoNativeOracle, nativeProgram } from './oracle/native-build.ts';
import { describeMismatch } from './oracle/report.ts';

const SEED = 20_260_721;
const COUNT = process.env['CI'] === undefined ? 100_000 : 1_000_000;

function problem(): string | undefined {
  try {
    nativeProgram();
    return engineProblem();
  } catch (error) {
    if (error instanceof NoNativeOracle) return error.message;
    throw error;
  }
}

describe('the engine beside the host processor', { skip: problem() ?? false, timeout: 600_000 }, () => {
  test(`does the same in ${COUNT} random sequences`, async () => {
    const generator = new Generator({ seed: SEED });
    using native = new NativeOracle(generator.background());
    const runner = new BareRunner(new EngineBare(caseImage()));
    const report = await differ({ generator, native, runner, count: COUNT });
    assert.equal(report.mismatch === undefined ? '' : describeMismatch(report.mismatch), '');
    assert.deepEqual([...report.unsupported], []);
    assert.ok(report.compared > COUNT * 0.99);
  });
});
