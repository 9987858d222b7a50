import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layout } from '../src/index.ts';
import { asm } from './guest/bytes.ts';
import * as guest from './guest/machine.ts';

const { CODE, DATA, Machine } = guest;

const machine = new Machine();
const { cpu } = machine;

function expectHandler(vector: number, code: number): void {
  assert.equal(machine.run(), layout.EXIT_HLT);
  assert.equal(machine.handler(), vector);
  assert.equal(machine.stack(1)[0], BigInt(code), 'error code');
}

const write = (index: number, value: bigint) => [
  ...asm.mov('rcx', index),
  ...asm.mov('rax', value & 0xffff_ffffn),
  ...asm.mov('rdx', value >> 32n),
  ...asm.wrmsr,
];
const read = (index: number) => [...asm.mov('rcx', index), ...asm.rdmsr];

const draw = (seed: bigint) => {
  machine.long([...asm.rdrandRax, 0x0f, 0x92, 0xc3, ...asm.hlt]);
  cpu.set('random', seed);
  machine.run();
  assert.equal(cpu.get('rbx') & 0xffn, 1n, 'CF');
  return cpu.get('rax');
};

describe('MSRs', () => {
  test('the core’s own are written and read without an exit', () => {
    for (const [index, value] of [
      [0xc000_0081, 0x0023_0010_0000_0000n],
      [0xc000_0082, 0xffff_ffff_8100_0000n],
      [0xc000_0084, 0x4_7700n],
      [0xc000_0100, 0x7f00_0000_1000n],
      [0xc000_0101, 0xffff_8880_0000_0000n],
      [0xc000_0102, 0x1234n],
      [0xc000_0103, 7n],
      [0x174, 0x10n],
      [0x175, 0xffff_8880_0000_0000n],
      [0x277, 0x0407_0506_0007_0106n],
    ] as const) {
      machine.long([...write(index, value), ...asm.mov('rax', 0), ...asm.mov('rdx', 0), ...read(index), ...asm.hlt]);
      assert.equal(machine.run(), layout.EXIT_HLT);
      assert.equal(machine.handler(), -1);
      assert.equal((cpu.get('rdx') << 32n) | cpu.get('rax'), value, index.toString(16));
    }
  });

  test('FS.base is the segment’s base', () => {
    machine.long([...write(0xc000_0100, BigInt(DATA)), ...asm.hlt]);
    machine.run();
    assert.equal(cpu.segment('fs').base, BigInt(DATA));
  });

  test('impossible values are #GP', () => {
    for (const [index, value] of [
      [0xc000_0080, 0x1d01n], // SVME
      [0xc000_0080, 0xc01n], // LME off while paging
      [0xc000_0082, 1n << 47n],
      [0xc000_0100, 1n << 63n],
      [0xc000_0103, 1n << 32n],
      [0x277, 0x0007_0406_0007_0402n],
    ] as const) {
      machine.long([...write(index, value), ...asm.hlt]);
      expectHandler(13, 0);
    }
  });

  test('any other ends the run; the owner’s answer is taken', () => {
    machine.long([...read(0x1b), ...asm.hlt]);
    assert.equal(machine.run(), layout.EXIT_RDMSR);
    assert.equal(machine.arg(layout.EXIT_ARG0), 0x1b);
    assert.equal(cpu.get('rip'), BigInt(CODE + 10));
    cpu.setWord(layout.EXIT_ARG1, 0xfee0_0900);
    cpu.setWord(layout.EXIT_ARG1 + 4, 1);
    cpu.setWord(layout.EXIT_ARG2, layout.MSR_DONE);
    cpu.setWord(layout.COMPLETING, 1);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.deepEqual([cpu.get('rax'), cpu.get('rdx')], [0xfee0_0900n, 1n]);
  });

  test('refused, it is #GP', () => {
    machine.long([...write(0x1b, 0x8877_6655_4433_2211n), ...asm.hlt]);
    assert.equal(machine.run(), layout.EXIT_WRMSR);
    assert.equal(machine.word(layout.EXIT_ARG1), 0x4433_2211);
    assert.equal(machine.word(layout.EXIT_ARG1 + 4), 0x8877_6655);
    cpu.setWord(layout.EXIT_ARG2, layout.MSR_REFUSED);
    cpu.setWord(layout.COMPLETING, 1);
    expectHandler(13, 0);
  });

  test('with a filter the owner sees the core’s own too, and may leave them to it', () => {
    machine.long([...write(0xc000_0084, 0x700n), ...read(0xc000_0084), ...asm.hlt]);
    cpu.setWord(layout.MSR_EXITS_ALL, 1);
    assert.equal(machine.run(), layout.EXIT_WRMSR);
    cpu.setWord(layout.EXIT_ARG2, layout.MSR_OWN);
    cpu.setWord(layout.COMPLETING, 1);
    assert.equal(machine.run(), layout.EXIT_RDMSR);
    assert.equal(cpu.get('sfmask'), 0x700n);
    cpu.setWord(layout.EXIT_ARG2, layout.MSR_OWN);
    cpu.setWord(layout.COMPLETING, 1);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rax'), 0x700n);
  });
});

describe('what the owner is asked', () => {
  test('CPUID and VMMCALL end the run behind themselves', () => {
    machine.long([...asm.mov('rax', 0x8000_0000), ...asm.cpuid, ...asm.vmmcall]);
    assert.equal(machine.run(), layout.EXIT_CPUID);
    assert.equal(cpu.get('rip'), BigInt(CODE + 12));
    assert.equal(machine.run(), layout.EXIT_HYPERCALL);
    assert.equal(cpu.get('rip'), BigInt(CODE + 15));
  });

  test('RDTSC is the host’s clock, or counts what retired', () => {
    machine.long([...asm.rdtsc, ...asm.hlt]);
    machine.clock = 2 ** 32 * 3 + 5;
    machine.run();
    assert.deepEqual([cpu.get('rax'), cpu.get('rdx')], [5n, 3n]);
    const counted = () => {
      machine.long([
        ...asm.nop,
        ...asm.nop,
        ...asm.rdtsc,
        ...asm.mov('rbx', 0),
        0x48,
        0x89,
        0xc3,
        ...asm.rdtsc,
        ...asm.hlt,
      ]);
      cpu.set('tscOffset', 1000n);
      cpu.set('tscRate', 3n << 16n);
      machine.run();
      return [cpu.get('rbx'), cpu.get('rax')];
    };
    assert.deepEqual(counted(), [1006n, 1015n]);
    assert.deepEqual(counted(), [1006n, 1015n]);
  });

  test('RDRAND follows from its seed', () => {
    assert.equal(draw(1n), draw(1n));
    assert.notEqual(draw(1n), draw(2n));
  });

  test('an instruction that the engine can’t do ends the run at it', () => {
    machine.long([...asm.nop, 0xc5, 0xf8, 0x77]);
    assert.equal(machine.run(), layout.EXIT_UNSUPPORTED);
    assert.equal(cpu.get('rip'), BigInt(CODE + 1));
  });

  test('the state block comes back as it was saved', () => {
    machine.long([...asm.mov('rax', 1), ...asm.cpuid, ...asm.mov('rbx', 2), ...asm.hlt]);
    machine.run();
    const saved = cpu.save();
    const rip = cpu.get('rip');
    cpu.reset();
    cpu.load(saved);
    assert.equal(cpu.get('rip'), rip);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rbx'), 2n);
  });
});
