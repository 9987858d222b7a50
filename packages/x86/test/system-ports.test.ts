import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layout } from '../src/index.ts';
import { asm } from './guest/bytes.ts';
import * as guest from './guest/machine.ts';

const { CODE, DATA, Machine } = guest;

const machine = new Machine();
const { cpu } = machine;
const OUT = 1 << 24;
const STRING = 1 << 25;
const REP = 1 << 26;

/** The items of an IN, and on. */
function answer(items: readonly number[]): void {
  new Uint8Array(machine.engine.memory.buffer, layout.IO_DATA, items.length).set(items);
  cpu.setWord(layout.COMPLETING, 1);
}

function expectIo(shape: number): void {
  assert.equal(machine.run(), layout.EXIT_IO);
  assert.equal(machine.arg(layout.EXIT_ARG0), shape);
}

describe('port I/O', () => {
  test('OUT tells its value, with RIP at it, and retires when it is answered', () => {
    machine.long([...asm.mov('rdx', 0x3f8), ...asm.mov('rax', 0x1_1234_5678), ...asm.outEax, ...asm.hlt]);
    expectIo(0x3f8 | (4 << 16) | OUT);
    assert.equal(machine.arg(layout.EXIT_ARG1), 0x1234_5678);
    assert.equal(machine.arg(layout.EXIT_ARG2), 1);
    assert.equal(cpu.get('rip'), BigInt(CODE + 20));
    cpu.setWord(layout.COMPLETING, 1);
    assert.equal(machine.run(), layout.EXIT_HLT);
  });

  test('IN takes its value and leaves the rest of RAX', () => {
    machine.long([...asm.mov('rax', -1), 0xe4, 0x60, ...asm.hlt]);
    expectIo(0x60 | (1 << 16));
    answer([0x5a]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rax'), 0xffff_ffff_ffff_ff5an);
  });

  test('an answer is taken with no budget at all, and nothing more is run', () => {
    machine.long([0xe4, 0x60, ...asm.hlt]);
    expectIo(0x60 | (1 << 16));
    answer([1]);
    assert.equal(machine.run(0), layout.EXIT_BUDGET);
    assert.equal(cpu.get('rip'), BigInt(CODE + 2));
    assert.equal(cpu.get('rax') & 0xffn, 1n);
  });

  test('without an answer it asks again', () => {
    machine.long([0xe4, 0x60, ...asm.hlt]);
    expectIo(0x60 | (1 << 16));
    expectIo(0x60 | (1 << 16));
  });

  test('REP OUTS hands out item by item, and an interrupt can come between', () => {
    machine.long([...asm.mov('rdx', 0x80), ...asm.mov('rsi', DATA), ...asm.mov('rcx', 3), ...asm.repOutsb, ...asm.hlt]);
    machine.write(DATA, [7, 8, 9]);
    const found: number[] = [];
    for (let item = 0; item < 3; item++) {
      expectIo(0x80 | (1 << 16) | OUT | STRING | REP);
      found.push(machine.arg(layout.EXIT_ARG1));
      cpu.setWord(layout.COMPLETING, 1);
      if (item === 1) {
        assert.equal(machine.run(0), layout.EXIT_BUDGET);
        assert.equal(cpu.get('rip'), BigInt(CODE + 30), 'at the instruction, one item left');
        assert.equal(machine.engine.deliverInterrupt(0x30), 0);
        machine.write(guest.HANDLERS + 0x30 * 16, asm.iretq);
      }
    }
    assert.deepEqual(found, [7, 8, 9]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.deepEqual([cpu.get('rcx'), cpu.get('rsi')], [0n, BigInt(DATA + 3)]);
  });

  test('REP INS asks for what fits in the page, then for the rest', () => {
    machine.long([
      ...asm.mov('rdx', 0x80),
      ...asm.mov('rdi', DATA + 0xffe),
      ...asm.mov('rcx', 5),
      ...asm.repInsb,
      ...asm.hlt,
    ]);
    expectIo(0x80 | (1 << 16) | STRING | REP);
    assert.equal(machine.arg(layout.EXIT_ARG2), 2);
    answer([1, 2]);
    expectIo(0x80 | (1 << 16) | STRING | REP);
    assert.equal(machine.arg(layout.EXIT_ARG2), 3);
    answer([3, 4, 5]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.deepEqual(machine.read(DATA + 0xffe, 6), [1, 2, 3, 4, 5, 0]);
    assert.equal(cpu.get('rdi'), BigInt(DATA + 0x1003));
  });

  test('INS to a page that can’t be written asks no device', () => {
    machine.long([...asm.mov('rdx', 0x80), ...asm.mov('rdi', DATA), ...asm.mov('rcx', 1), ...asm.repInsb]);
    machine.write64(machine.entryOf(DATA), 0n);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), 14);
  });

  test('a count of 0 does nothing', () => {
    machine.long([...asm.mov('rcx', 0), ...asm.repInsb, ...asm.repOutsb, ...asm.hlt]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), -1);
  });
});
