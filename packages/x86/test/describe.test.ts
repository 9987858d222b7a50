import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeInstruction } from '../src/describe.ts';
import { FlatMachine } from './support/flat-machine.ts';

const described = (code: readonly number[], set: Readonly<Record<string, bigint>> = {}) => {
  const { engine } = new FlatMachine();
  for (const [name, value] of Object.entries(set)) engine.cpu.set(name as 'rax', value);
  return { found: describeInstruction(Uint8Array.from(code), engine.cpu), engine };
};

describe('an instruction that is described', () => {
  test('has its text, its length and the memory that it is about to use', () => {
    // mov eax, [rdi + rcx*4 - 8]
    const { found } = described([0x8b, 0x44, 0x8f, 0xf8, 0x90], { rdi: 0x1000n, rcx: 3n });
    assert.equal(found?.text, 'mov eax,[rdi+rcx*4-8]');
    assert.equal(found.length, 4);
    assert.deepEqual(found.memory, [{ linear: 0x1004n, size: 4, isRead: true, isWrite: false }]);
  });

  test('counts from RIP where it says so, and wraps at 64 bits', () => {
    const relative = described([0x48, 0x8b, 0x05, 0x10, 0, 0, 0], { rip: 0x2000n });
    assert.equal(relative.found?.memory[0]?.linear, 0x2017n);
    const wrapped = described([0x8b, 0x47, 0x10], { rdi: 0xffff_ffff_ffff_fff8n });
    assert.equal(wrapped.found?.memory[0]?.linear, 8n);
  });

  test('uses GS where it says so, and the stack where it need not say it', () => {
    const { engine, found } = described([0xff, 0x75, 0x08], { rbp: 0x3000n, rsp: 0x8000n });
    // push [rbp+8]
    assert.deepEqual(
      found?.memory.map(({ linear, size, isRead, isWrite }) => [linear, size, isRead, isWrite]).toSorted(),
      [
        [0x3008n, 8, true, false],
        [0x7ff8n, 8, false, true],
      ],
    );
    engine.cpu.setSegment('gs', { ...engine.cpu.segment('gs'), base: 0xffff_8000_0000_0000n });
    const perCpu = describeInstruction(Uint8Array.from([0x65, 0x8b, 0x04, 0x25, 0x40, 0, 0, 0]), engine.cpu);
    assert.equal(perCpu?.memory[0]?.linear, 0xffff_8000_0000_0040n);
  });

  test('of a repeated string is all of it, as far as a page goes', () => {
    const registers = { rsi: 0x1000n, rdi: 0x5000n, rcx: 16n };
    const { found } = described([0xf3, 0x48, 0xa5], registers);
    const sizes = new Map(found?.memory.filter(({ size }) => size > 0).map(({ linear, size }) => [linear, size]));
    assert.deepEqual(
      [...sizes].toSorted(([a], [b]) => Number(a - b)),
      [
        [0x1000n, 128],
        [0x5000n, 128],
      ],
    );
    const long = described([0xf3, 0xaa], { ...registers, rcx: 2n ** 40n });
    assert.ok(long.found?.memory.some(({ size, isWrite }) => size === 4096 && isWrite));
  });

  test('is none where the bytes are none', () => {
    // An address-size prefix of an instruction that isn't there any more; nothing at all.
    assert.equal(described([0x67]).found, undefined);
    assert.equal(described([]).found, undefined);
  });
});
