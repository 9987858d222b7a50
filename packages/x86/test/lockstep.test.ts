/** Our engine in lockstep with QEMU's TCG: a bare program is recorded and followed. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SETUP, SUPERVISOR } from '../lockstep/bare-image.ts';
import { type BootRun, followBoot, narrow, recordBoot } from '../lockstep/boot-run.ts';
import { EngineBare } from '../lockstep/engine-bare.ts';
import { enterBareImage, QemuBare } from '../lockstep/qemu-bare.ts';
import { findQemu, NoQemu, type QemuProgram } from '../lockstep/qemu-program.ts';
import type { ReplayLog } from '../lockstep/replay-log.ts';
import { BareRunner, caseImage } from './oracle/bare-runner.ts';
import { differ } from './oracle/differ.ts';
import { Generator } from './oracle/generator.ts';
import { NativeOracle } from './oracle/native.ts';
import { NoNativeOracle, nativeProgram } from './oracle/native-build.ts';
import { describeMismatch } from './oracle/report.ts';

function needed<T>(what: () => T): T | string {
  try {
    return what();
  } catch (error) {
    if (error instanceof NoQemu || error instanceof NoNativeOracle) return error.message;
    throw error;
  }
}

const found = needed(findQemu);
const program: QemuProgram | undefined = typeof found === 'string' ? undefined : found;
const native = needed(nativeProgram);
const withoutQemu = typeof found === 'string' ? found : false;

/** Guest-physical place of the program, behind the image's stubs. */
const CODE = 0x12_0000;
const PROGRAM = [
  'c70425000013807b000000', // mov dword [sup + 0x130000], 123
  '48c7c600001380', // mov rsi, sup + 0x130000
  '48c7c700081380', // mov rdi, sup + 0x130800
  'b92c010000', // mov ecx, 300
  'f3a4', // rep movsb
  'b9e8030000', // mov ecx, 1000
  '31c0', // xor eax, eax
  '4801c8', // loop: add rax, rcx
  '480fafc1', // imul rax, rcx
  '48d1c0', // rol rax, 1
  'e2f4', // loop
  '4889c3', // mov rbx, rax
  '31c0', // xor eax, eax
  '0fa2', // cpuid
  '0f31', // rdtsc
  'e461', // in al, 0x61
  'b907000000', // mov ecx, 7
  '48c7c700001380', // mov rdi, sup + 0x130000
  '30c0', // xor al, al
  'f2ae', // repne scasb
  '4889f8', // mov rax, rdi
  'f4', // hlt
].join('');

describe("lockstep with QEMU's TCG", { skip: withoutQemu, timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'unpin-lockstep-test-'));
  let run: BootRun;
  let log: ReplayLog;

  before(async () => {
    if (program === undefined) return;
    const image = caseImage();
    // The stub's HLT becomes a jump to the program (mov eax, imm32 sign-extended; jmp rax), which halts with IF clear.
    const setup = Number(SETUP - SUPERVISOR);
    const halt = image.indexOf(0xf4, setup);
    image.set(Buffer.from('48c7c000001280ffe0', 'hex'), halt);
    image.set(Buffer.from(PROGRAM, 'hex'), CODE);
    const prepare = (qemu: Parameters<NonNullable<BootRun['prepare']>>[0]): void => enterBareImage(qemu, image);
    run = { program, arguments: [], memoryMiB: 16, log: join(folder, 'log'), limitMs: 60_000, prepare };
    log = await recordBoot(run, 1500);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('a program runs the same in both, what comes from outside being taken over', async () => {
    const report = await followBoot(run, log, { entry: SETUP, window: 500, memoryEvery: 1 });
    assert.deepEqual(report.divergence, undefined);
    assert.equal(report.position, log.end);
    assert.deepEqual([...report.taken.keys()].sort(), ['cpuid', 'in', 'rdtsc']);
  });

  test('a processor that goes wrong is found at the instruction that shows it', async () => {
    // R15 is not used by the program: the first window shows it.
    const report = await followBoot(run, log, {
      entry: SETUP,
      window: 500,
      onStart: (ours) => ours.engine.cpu.set('r15', 1n),
    });
    assert.equal(report.divergence?.why, 'registers differ');
    assert.deepEqual(report.divergence?.differences, [{ register: 'r15', leader: '0x0', ours: '0x1' }]);
  });

  test('a divergence that QEMU’s own state does not lead to is called one', async () => {
    const report = await followBoot(run, log, {
      entry: SETUP,
      window: 500,
      onStart: (ours) => ours.engine.cpu.set('r15', 1n),
    });
    assert.ok(report.divergence);
    assert.equal(await narrow(run, log, report.divergence), undefined);
  });

  test('wrong memory is found where it is', async () => {
    const report = await followBoot(run, log, {
      entry: SETUP,
      window: 100_000,
      memoryEvery: 1,
      onStart: (ours) => ours.writeMemory(0x14_0040, Uint8Array.of(1)),
    });
    assert.deepEqual(report.divergence?.memory, [0x14_0040]);
  });

  const withoutNative = typeof native === 'string' && native.startsWith('the native oracle') ? native : false;
  test('generated cases come out of QEMU as out of the host’s processor', { skip: withoutNative }, async () => {
    if (program === undefined) return;
    const generator = new Generator({ seed: 3, families: ['string', 'flags', 'hint', 'extend'], longest: 3 });
    using oracle = new NativeOracle(generator.background());
    const machine = await QemuBare.start(caseImage(), { program, limitMs: 60_000 });
    try {
      const runner = new BareRunner(machine);
      const report = await differ({
        generator,
        native: oracle,
        runner,
        count: 600,
        // QEMU 7.2 raises #GP where processors raise #SS.
        onMismatch: ({ differences: [first] }) => first?.field === 'vector' && first.expected === '0xc',
      });
      const { mismatch } = report;
      const known = mismatch?.differences[0]?.field === 'vector' && mismatch.differences[0].expected === '0xc';
      assert.equal(mismatch === undefined || known ? '' : describeMismatch(mismatch), '');
      assert.ok(report.compared > 590);
    } finally {
      machine.close();
    }
  });
});

test('the bare image comes up in our engine', () => {
  const machine = new EngineBare(caseImage());
  assert.equal(machine.name, 'engine');
  machine.close();
});
