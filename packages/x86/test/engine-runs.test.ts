/** Where runs end, and what code that changes or crosses pages does to them. Instructions' results: native-differential.test.ts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { kernelLike, STACK } from '../bench/kernel-like.ts';
import { engineProblem } from '../src/built.ts';
import * as layout from '../src/layout.ts';
import { FlatMachine, readWord, writeWord } from './support/flat-machine.ts';

const [RAX, RCX, RDX, RSP, RSI, RDI] = [0, 1, 2, 4, 6, 7] as const;
const PAGE = 4096;
const CODE = 0x1000;

const hex = (text: string): Uint8Array => Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16));

function register(machine: FlatMachine, index: number): bigint {
  return readWord(machine.engine.words, layout.REGS + 8 * index);
}

function setRegister(machine: FlatMachine, index: number, value: number | bigint): void {
  writeWord(machine.engine.words, layout.REGS + 8 * index, BigInt(value));
}

function rip(machine: FlatMachine): number {
  return Number(readWord(machine.engine.words, layout.RIP));
}

/** At CODE unless told otherwise, with the code there. */
function machineAt(code: string, at = CODE, isMapped?: (page: number) => boolean): FlatMachine {
  const machine = new FlatMachine(isMapped);
  machine.load(at, hex(code));
  writeWord(machine.engine.words, layout.RIP, BigInt(at));
  return machine;
}

function broadMachine(): FlatMachine {
  const program = kernelLike(40, 3);
  const machine = new FlatMachine();
  for (const { at, bytes } of program.parts) machine.load(at, bytes);
  writeWord(machine.engine.words, layout.RIP, BigInt(program.entry));
  setRegister(machine, RSP, STACK);
  return machine;
}

/** Everything a program sees. */
function state(machine: FlatMachine): bigint[] {
  const { cpu } = machine.engine;
  return [...Array.from({ length: 16 }, (_, i) => register(machine, i)), cpu.get('rip'), cpu.rflags];
}

describe('runs', { skip: engineProblem() ?? false, timeout: 60_000 }, () => {
  test('of n instructions end where n single steps end', () => {
    const steps = 1600;
    const stepped = broadMachine();
    const states = [state(stepped)];
    for (let i = 0; i < steps; i++) {
      assert.equal(stepped.engine.runExactly(1), layout.EXIT_BUDGET);
      states.push(state(stepped));
    }
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }), (pieces) => {
        const machine = broadMachine();
        let done = 0;
        for (const piece of pieces) {
          machine.engine.runExactly(piece);
          done += piece;
          assert.equal(machine.engine.retired, done);
          assert.deepEqual(state(machine), states[done]);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('a budget is exceeded by a trace at most', () => {
    const machine = broadMachine();
    for (const budget of [0, 1, 5, 64, 1000]) {
      const before = machine.engine.retired;
      machine.engine.run(budget);
      const retired = machine.engine.retired - before;
      assert.ok(retired > budget && retired <= budget + 65, `${retired} for a budget of ${budget}`);
    }
  });

  test('a jump to the second of two instructions that run as one does the second only', () => {
    // xor eax, eax; jmp to the JE; cmp ecx, ecx; je → inc edx; hlt
    const machine = machineAt('31 c0 ff c0 eb 02 39 c9 74 01 f4 ff c2 f4');
    machine.engine.run(100);
    assert.equal(rip(machine), CODE + 11);
    // The comparison in front of it counts on its own: from there the jump is taken.
    writeWord(machine.engine.words, layout.RIP, BigInt(CODE + 6));
    machine.engine.run(100);
    assert.equal(register(machine, RDX), 1n);
  });

  test('an instruction changed by the one in front of it is the changed one', () => {
    // mov byte [rip + 1], 0x42 (of the MOV behind: mov eax, 0x11); mov eax, …; hlt
    const code = 'c6 05 01 00 00 00 42 b8 11 00 00 00 f4';
    const machine = machineAt(code);
    machine.engine.run(10);
    assert.equal(register(machine, RAX), 0x42n);
    // mov [rdi], rcx; mov rax, rdx; hlt: the store makes it mov rax, rsi, where both have run as one before.
    const pair = machineAt('48 89 0f 48 89 d0 f4 90 90 90 90');
    setRegister(pair, RDI, CODE + 0x800);
    setRegister(pair, RDX, 2);
    setRegister(pair, RSI, 3);
    pair.engine.run(10);
    assert.equal(register(pair, RAX), 2n);
    setRegister(pair, RDI, CODE + 3);
    setRegister(pair, RCX, 0x9090_9090_f4f0_8948n);
    writeWord(pair.engine.words, layout.RIP, BigInt(CODE));
    pair.engine.run(10);
    assert.equal(register(pair, RAX), 3n);
  });

  test('data beside code may be written without harm', () => {
    // inc dword [rdi]; dec ecx; jnz; hlt
    const machine = machineAt('ff 07 ff c9 75 fa f4');
    setRegister(machine, RDI, CODE + 0x400);
    setRegister(machine, RCX, 500);
    assert.equal(machine.engine.run(10_000), layout.EXIT_HLT);
    assert.deepEqual([...machine.read(CODE + 0x400, 4)], [0xf4, 1, 0, 0]);
  });

  test('an instruction across two pages follows a change of either', () => {
    const at = 2 * PAGE - 2;
    // mov eax, 0x04030201; hlt
    const machine = machineAt('b8 01 02 03 04 f4', at);
    machine.engine.run(10);
    assert.equal(register(machine, RAX), 0x0403_0201n);
    for (const [where, value] of [
      [at + 1, 0x0403_02ffn],
      [at + 4, 0xff03_02ffn],
    ] as const) {
      machine.engine.frameChanged(machine.host(where - (where % PAGE)));
      machine.load(where, [0xff]);
      writeWord(machine.engine.words, layout.RIP, BigInt(at));
      machine.engine.run(10);
      assert.equal(register(machine, RAX), value);
    }
  });

  test('code of a frame that changed from outside is decoded again', () => {
    const machine = machineAt('b0 01 f4');
    machine.engine.run(10);
    machine.engine.frameChanged(machine.host(CODE));
    machine.load(CODE + 1, [2]);
    writeWord(machine.engine.words, layout.RIP, BigInt(CODE));
    machine.engine.run(10);
    assert.equal(register(machine, RAX), 2n);
  });
});

describe('REP', { skip: engineProblem() ?? false, timeout: 60_000 }, () => {
  test('copies as byte after byte, however source and destination overlap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 9000 }),
        fc.constantFrom(1, 2, 4, 8),
        fc.boolean(),
        (distance, count, size, upwards) => {
          const code = { 1: 'f3 a4 f4', 2: 'f3 66 a5 f4', 4: 'f3 a5 f4', 8: 'f3 48 a5 f4' }[size] ?? '';
          const machine = machineAt(code);
          const [base, span] = [0x10_0000 + 100, 9000 * 8 + 200];
          const bytes = Uint8Array.from({ length: span }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
          machine.load(base, bytes);
          const [from, to] = upwards ? [0, distance] : [distance, 0];
          const expected = bytes.slice();
          for (let i = 0; i < count * size; i += size) {
            const element = expected.slice(from + i, from + i + size);
            expected.set(element, to + i);
          }
          setRegister(machine, RSI, base + from);
          setRegister(machine, RDI, base + to);
          setRegister(machine, RCX, count);
          assert.equal(machine.engine.run(10), layout.EXIT_HLT);
          assert.deepEqual(Buffer.from(machine.read(base, span)), Buffer.from(expected));
          assert.equal(register(machine, RSI), BigInt(base + from + count * size));
          assert.equal(register(machine, RCX), 0n);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('stops at the page that is missing, and goes on from there', () => {
    const missing = 0x12;
    let isThere = false;
    const machine = machineAt('f3 48 ab f4', CODE, (page) => page !== missing || isThere);
    setRegister(machine, RAX, 0x0807_0605_0403_0201n);
    setRegister(machine, RDI, missing * PAGE - 20);
    setRegister(machine, RCX, 600);
    assert.equal(machine.engine.run(10), layout.EXIT_FILL);
    // Two whole elements lie in front of it; the third would cross.
    assert.deepEqual([register(machine, RCX), rip(machine)], [598n, CODE]);
    assert.equal(register(machine, RDI), BigInt(missing * PAGE - 4));
    isThere = true;
    assert.equal(machine.engine.run(10), layout.EXIT_HLT);
    assert.deepEqual([...machine.read(missing * PAGE - 5, 9)], [8, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(register(machine, RDI), BigInt(missing * PAGE - 20 + 4800));
  });

  test('of many bytes lets a run end in its middle', () => {
    const machine = machineAt('f3 aa f4');
    const count = 5 << 20;
    setRegister(machine, RDI, 0x100_0000);
    setRegister(machine, RCX, count);
    let runs = 0;
    let before = BigInt(count) + 1n;
    while (machine.engine.run(10) === layout.EXIT_BUDGET) {
      assert.equal(rip(machine), CODE);
      assert.ok(register(machine, RCX) < before);
      before = register(machine, RCX);
      runs++;
    }
    assert.ok(runs > 2);
    assert.deepEqual([register(machine, RCX), rip(machine)], [0n, CODE + 3]);
  });
});
