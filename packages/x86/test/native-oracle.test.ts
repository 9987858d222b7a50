/** The oracle itself: instructions whose results the manuals print, faults, and a planted bug that must be found. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CpuState, RAX, RBX, RCX, RDI, RDX, RSI, RSP } from './oracle/cpu-state.ts';
import { type CaseRunner, differ, type Run } from './oracle/differ.ts';
import { CF, OF, ZF } from './oracle/flags.ts';
import { FAMILIES } from './oracle/forms/form.ts';
import { Generator } from './oracle/generator.ts';
import { CODE_BASE, DATA_BASE, DATA_SIZE, FX, NO_VECTOR, RUNAWAY, STACK_TOP, STATE } from './oracle/layout.ts';
import { NativeOracle } from './oracle/native.ts';
import { NoNativeOracle, nativeProgram } from './oracle/native-build.ts';
import { NativeRunner } from './oracle/native-runner.ts';
import { describeMismatch } from './oracle/report.ts';

const skip = ((): string | false => {
  try {
    nativeProgram();
    return false;
  } catch (error) {
    if (error instanceof NoNativeOracle) return error.message;
    throw error;
  }
})();

describe('the native oracle', { skip, timeout: 60_000 }, () => {
  const background = new Uint8Array(DATA_SIZE);
  let native: NativeOracle;
  before(() => {
    native = new NativeOracle(background);
  });
  after(() => native.close());

  /** Runs bytes given in hexadecimal from these registers. */
  async function run(hex: string, registers: Readonly<Record<number, bigint>> = {}, memory = '') {
    const state = new CpuState();
    state.word(STATE.rip, CODE_BASE);
    state.word(STATE.rflags, 0x202);
    state.setGpr(RSP, STACK_TOP, 0);
    for (const [register, value] of Object.entries(registers))
      state.setGpr(Number(register), Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn));
    const patch = Buffer.alloc(16);
    patch.write(memory, 'hex');
    const patches = memory === '' ? [] : [{ offset: 0, bytes: patch }];
    const code = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const [outcome] = await native.run([{ state, code, patches }]);
    assert.ok(outcome);
    const after = outcome.state;
    return {
      after,
      changes: outcome.changes,
      vector: after.wordAt(STATE.vector),
      flags: after.wordAt(STATE.rflags),
      rip: after.quad(STATE.rip),
      length: code.length,
    };
  }

  test('add sets carry, overflow and zero', async () => {
    const { after, flags, vector, rip } = await run('48 01 D8', { [RAX]: 1n << 63n, [RBX]: 1n << 63n });
    assert.equal(vector, NO_VECTOR);
    assert.equal(rip, BigInt(CODE_BASE + 3));
    assert.equal(after.gpr(RAX), 0n);
    assert.equal(flags & (CF | OF | ZF), CF | OF | ZF);
  });

  test('a 32-bit result clears the upper half, an 8-bit one keeps the rest', async () => {
    const wide = await run('01 D8', { [RAX]: 0xffff_ffff_ffff_ffffn, [RBX]: 2n });
    assert.equal(wide.after.gpr(RAX), 1n);
    const narrow = await run('00 DC', { [RAX]: 0x1122_3344_5566_ff88n, [RBX]: 2n });
    assert.equal(narrow.after.gpr(RAX), 0x1122_3344_5566_0188n);
  });

  test('memory that changed comes back, and the next case starts from the background', async () => {
    const stored = await run('48 89 07', { [RAX]: 0x0102_0304_0506_0708n, [RDI]: BigInt(DATA_BASE + 0x20) });
    assert.deepEqual(
      stored.changes.map(({ offset, bytes }) => [offset, Buffer.from(bytes).toString('hex')]),
      [[0x20, '08070605040302010000000000000000']],
    );
    const loaded = await run('48 8B 07', { [RDI]: BigInt(DATA_BASE + 0x20) });
    assert.equal(loaded.after.gpr(RAX), 0n);
  });

  test('a patch is there for its case only', async () => {
    const patched = await run('48 8B 07', { [RDI]: BigInt(DATA_BASE) }, '8877665544332211');
    assert.equal(patched.after.gpr(RAX), 0x1122_3344_5566_7788n);
    assert.deepEqual(patched.changes, []);
    const next = await run('48 8B 07', { [RDI]: BigInt(DATA_BASE) });
    assert.equal(next.after.gpr(RAX), 0n);
  });

  test('rep movsb copies downwards with the direction flag set', async () => {
    const registers = { [RSI]: BigInt(DATA_BASE + 3), [RDI]: BigInt(DATA_BASE + 0x43), [RCX]: 4n };
    const { after, changes, flags } = await run('FD F3 A4', registers, 'aabbccdd');
    assert.equal(after.gpr(RCX), 0n);
    assert.equal(after.gpr(RSI), BigInt(DATA_BASE) - 1n);
    assert.equal(flags & 0x400, 0x400);
    assert.equal(Buffer.from(changes[0]?.bytes ?? []).toString('hex', 0, 4), 'aabbccdd');
  });

  test('division by zero is vector 0 at the instruction, registers as they were', async () => {
    const { after, vector, rip } = await run('90 48 F7 F1', { [RAX]: 5n, [RDX]: 7n });
    assert.deepEqual([vector, rip], [0, BigInt(CODE_BASE + 1)]);
    assert.deepEqual([after.gpr(RAX), after.gpr(RDX)], [5n, 7n]);
  });

  test('faults carry vector, error code and address', async () => {
    const outside = BigInt(DATA_BASE + DATA_SIZE);
    const write = await run('89 07', { [RDI]: outside });
    assert.deepEqual(
      [write.vector, write.after.wordAt(STATE.error), write.after.quad(STATE.address)],
      [14, 6, outside],
    );
    const split = await run('8B 07', { [RDI]: outside - 2n });
    assert.deepEqual(
      [split.vector, split.after.wordAt(STATE.error), split.after.quad(STATE.address)],
      [14, 4, outside],
    );
    const fetch = await run('FF E7', { [RDI]: BigInt(DATA_BASE) });
    assert.deepEqual([fetch.vector, fetch.after.wordAt(STATE.error), fetch.rip], [14, 0x15, BigInt(DATA_BASE)]);
    const code = await run('89 07', { [RDI]: BigInt(CODE_BASE) });
    assert.deepEqual([code.vector, code.after.wordAt(STATE.error)], [14, 7]);
    assert.equal((await run('8B 07', { [RDI]: 1n << 47n })).vector, 13);
    assert.equal((await run('58', { [RSP]: 1n << 47n })).vector, 12);
    assert.equal((await run('0F 0B')).vector, 6);
    assert.equal((await run('0F 28 07', { [RDI]: BigInt(DATA_BASE + 1) })).vector, 13);
    const trap = await run('CC');
    assert.deepEqual([trap.vector, trap.rip], [3, BigInt(CODE_BASE + 1)]);
  });

  test('sse state goes in and comes out', async () => {
    // mulss xmm1, xmm0 of 1.5 and 3: 4.5, exact. Then 1/3: inexact.
    const exact = await run('66 0F 6E C0 66 0F 6E CB F3 0F 59 C8', { [RAX]: 0x3fc0_0000n, [RBX]: 0x4040_0000n });
    assert.equal(exact.after.wordAt(STATE.fx + FX.xmm + 16), 0x4090_0000);
    assert.equal(exact.after.wordAt(STATE.fx + FX.mxcsr), 0x1f80);
    const third = await run('66 0F 6E C0 66 0F 6E CB F3 0F 5E C1', { [RAX]: 0x3f80_0000n, [RBX]: 0x4040_0000n });
    assert.equal(third.after.wordAt(STATE.fx + FX.mxcsr) & 0x3f, 0x20);
  });

  test('an endless loop is cut off', async () => {
    assert.equal((await run('EB FE')).vector, RUNAWAY);
    assert.equal((await run('90')).vector, NO_VECTOR);
  });

  test('generated cases come out of it the same twice', async () => {
    const generator = new Generator({ seed: 11, families: FAMILIES });
    const ground = generator.background();
    using one = new NativeOracle(ground);
    const runner = new NativeRunner(one, ground);
    const report = await differ({ generator, native: one, runner, count: 3000 });
    assert.equal(report.mismatch === undefined ? '' : describeMismatch(report.mismatch), '');
    assert.ok(report.compared > 2900);
    assert.ok((report.vectors.get(0) ?? 0) > 10 && (report.vectors.get(14) ?? 0) > 30);
  });

  test('a wrong carry of ADC is found and shrunk to it', async () => {
    const generator = new Generator({ seed: 5, families: ['alu', 'mov', 'flags', 'sse-move'] });
    const ground = generator.background();
    using one = new NativeOracle(ground);
    const honest = new NativeRunner(one, ground);
    const lying: CaseRunner = {
      async run(run: Run, state: CpuState, data: Uint8Array) {
        const answer = await honest.run(run, state, data);
        if (run.code.includes(0x11)) state.word(STATE.rflags, state.wordAt(STATE.rflags) ^ CF);
        return answer;
      },
    };
    const { mismatch } = await differ({ generator, native: one, runner: lying, count: 3000 });
    assert.ok(mismatch);
    assert.equal(mismatch.differences[0]?.field, 'rflags');
    assert.equal(mismatch.shrunk.keep.filter((kept) => kept).length, 1);
    assert.ok(mismatch.shrunk.layout.code.includes(0x11));
    assert.match(describeMismatch(mismatch), /seed 5[\s\S]*rflags/);
  });
});
