import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { layout } from '../src/index.ts';
import { asm } from './guest/bytes.ts';
import * as guest from './guest/machine.ts';

const { A, CODE, D, DATA, G, Machine, NX, P, PS, U, USER_CODE, W } = guest;

const machine = new Machine();
const { cpu } = machine;

/** [DATA] ← RAX, then HLT. */
const store = (address: number | bigint) => [...asm.mov('rdi', address), ...asm.store('rax'), ...asm.hlt];
const load = (address: number | bigint) => [...asm.mov('rdi', address), ...asm.load('rax'), ...asm.hlt];

function expectPageFault(code: number, address: bigint): void {
  assert.equal(machine.run(), layout.EXIT_HLT);
  assert.equal(machine.handler(), 14);
  assert.equal(machine.stack(1)[0], BigInt(code), 'error code');
  assert.equal(cpu.get('cr2'), address, 'CR2');
}

const swap = (flush: readonly number[]) => [
  ...asm.mov('rdi', DATA),
  ...asm.load('rbx'),
  ...asm.mov('rdi', machine.entryOf(DATA)),
  ...asm.mov('rax', BigInt(DATA + 0x1000) | P | W | U),
  ...asm.store('rax'),
  ...asm.mov('rdi', DATA),
  ...flush,
  ...asm.load('rcx'),
  ...asm.hlt,
];

const find = (gfn: number, access: number) =>
  machine.fills.filter((fill) => fill.gfn === gfn && fill.access === access).map((fill) => fill.encrypted);

function run(flush: readonly number[], bits = 0n): bigint {
  machine.long(swap(flush));
  machine.write64(machine.entryOf(DATA), BigInt(DATA) | P | W | U | bits);
  machine.write64(DATA, 1n);
  machine.write64(DATA + 0x1000, 2n);
  assert.equal(machine.run(), layout.EXIT_HLT);
  assert.equal(machine.handler(), -1);
  assert.equal(cpu.get('rbx'), 1n);
  return cpu.get('rcx');
}

describe('a page fault says what was wrong', () => {
  test('a page that is not present, read and written by the kernel', () => {
    machine.long(load(DATA + 8));
    machine.write64(machine.entryOf(DATA), 0n);
    expectPageFault(0, BigInt(DATA + 8));
    machine.long(store(DATA + 8));
    machine.write64(machine.entryOf(DATA), 0n);
    expectPageFault(2, BigInt(DATA + 8));
  });

  test('the faulting instruction is what the handler returns to', () => {
    machine.long(load(DATA));
    machine.write64(machine.entryOf(DATA), 0n);
    expectPageFault(0, BigInt(DATA));
    assert.deepEqual(machine.stack(3).slice(1), [BigInt(CODE + 10), 8n]);
  });

  test('a read-only page, with CR0.WP and without', () => {
    machine.long(store(DATA));
    machine.write64(machine.entryOf(DATA), BigInt(DATA) | P | U);
    expectPageFault(3, BigInt(DATA));
    machine.long(store(DATA));
    machine.write64(machine.entryOf(DATA), BigInt(DATA) | P | U);
    cpu.set('cr0', cpu.get('cr0') & ~0x1_0000n);
    cpu.set('rax', 77n);
    cpu.commit();
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), -1);
    assert.equal(machine.read64(DATA), 77n);
  });

  test('a supervisor’s page, read and written by the user', () => {
    for (const [code, error] of [
      [load(DATA), 5],
      [store(DATA), 7],
    ] as const) {
      machine.long(code, { cpl: 3 });
      machine.write64(machine.entryOf(DATA), BigInt(DATA) | P | W);
      expectPageFault(error, BigInt(DATA));
    }
  });

  test('a right that an upper table withholds', () => {
    machine.long(store(0x20_0000 + DATA));
    machine.write64(guest.PD + 8, BigInt(guest.PT) | P | U);
    expectPageFault(3, BigInt(0x20_0000 + DATA));
  });

  test('a fetch from a page with NX, and the address is the target’s', () => {
    machine.long([...asm.mov('rdi', DATA), ...asm.jmpRdi]);
    machine.write64(machine.entryOf(DATA), BigInt(DATA) | P | W | U | NX);
    expectPageFault(0x11, BigInt(DATA));
    assert.equal(machine.stack(2)[1], BigInt(DATA), 'RIP');
  });

  test('NX is a reserved bit without EFER.NXE, and a fetch isn’t told from a read', () => {
    machine.long(load(DATA));
    machine.write64(machine.entryOf(DATA), BigInt(DATA) | P | W | U | NX);
    cpu.set('efer', 0x501n);
    cpu.commit();
    expectPageFault(9, BigInt(DATA));
    machine.long([...asm.mov('rdi', DATA), ...asm.jmpRdi]);
    machine.write64(machine.entryOf(DATA), 0n);
    cpu.set('efer', 0x501n);
    cpu.commit();
    expectPageFault(0, BigInt(DATA));
  });

  test('a reserved bit', () => {
    machine.long(store(DATA));
    machine.write64(machine.entryOf(DATA), BigInt(DATA) | P | W | U | (1n << 45n));
    expectPageFault(0xb, BigInt(DATA));
  });

  test('a 2 MiB page whose address isn’t a multiple of its size', () => {
    machine.long(load(0x20_0000));
    machine.write64(guest.PD + 8, 0x20_2000n | P | W | PS);
    expectPageFault(9, 0x20_0000n);
  });
});

describe('canonical addresses', () => {
  test('an access to one that isn’t is #GP with code 0', () => {
    machine.long(load(0x8000_0000_0000n));
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), 13);
    assert.equal(machine.stack(1)[0], 0n);
  });

  test('the upper half is mapped by the upper entries', () => {
    machine.long(load(-0x20_0000n + BigInt(DATA)));
    machine.write64(guest.PML4 + 511 * 8, BigInt(guest.PDPT) | P | W);
    machine.write64(guest.PDPT + 511 * 8, BigInt(guest.PD) | P | W);
    machine.write64(guest.PD + 511 * 8, BigInt(guest.PT) | P | W);
    machine.write64(DATA, 0x1234n);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rax'), 0x1234n);
  });
});

describe('accessed and dirty bits', () => {
  test('a read sets A on the way, a write D on the page', () => {
    machine.long([...asm.mov('rdi', DATA), ...asm.load('rax'), ...asm.hlt, ...asm.store('rax'), ...asm.hlt]);
    machine.run();
    assert.equal(machine.read64(machine.entryOf(DATA)) & (A | D), A);
    for (const table of [guest.PML4, guest.PDPT, guest.PD]) assert.equal(machine.read64(table) & (A | D), A);
    machine.run();
    assert.equal(machine.read64(machine.entryOf(DATA)) & (A | D), A | D);
  });

  test('a faulting write sets no D', () => {
    machine.long(store(DATA));
    machine.write64(machine.entryOf(DATA), BigInt(DATA) | P | U);
    machine.run();
    assert.equal(machine.handler(), 14);
    assert.equal(machine.read64(machine.entryOf(DATA)) & D, 0n);
  });

  test('D is set again where the guest has cleared it and flushed', () => {
    machine.long([
      ...store(DATA),
      ...asm.mov('rdi', machine.entryOf(DATA)),
      ...asm.mov('rax', BigInt(DATA) | P | W),
      ...asm.store('rax'),
      ...asm.mov('rdi', DATA),
      ...asm.invlpgRdi,
      ...asm.store('rax'),
      ...asm.hlt,
    ]);
    machine.run();
    machine.run();
    assert.equal(machine.read64(machine.entryOf(DATA)) & (A | D), A | D);
  });

  test('entries in read-only memory stay as they are and work', () => {
    machine.long(load(DATA));
    machine.readOnly.add(guest.PT >> 12);
    machine.write64(DATA, 5n);
    machine.run();
    assert.equal(cpu.get('rax'), 5n);
    assert.equal(machine.read64(machine.entryOf(DATA)) & A, 0n);
  });
});

describe('an access across two pages', () => {
  test('whose second page faults leaves the first untouched', () => {
    machine.long(store(DATA + 0xffc));
    cpu.set('rax', -1n);
    machine.write64(machine.entryOf(DATA + 0x1000), 0n);
    expectPageFault(2, BigInt(DATA + 0x1000));
    assert.equal(machine.read64(DATA + 0xff8), 0n);
  });

  test('that reads and writes tells a write, and leaves the first untouched too', () => {
    // add [rdi], rax
    machine.long([...asm.mov('rdi', DATA + 0xffc), 0x48, 0x01, 0x07, ...asm.hlt]);
    cpu.set('rax', -1n);
    machine.write64(machine.entryOf(DATA + 0x1000), BigInt(DATA + 0x1000) | P | U);
    expectPageFault(3, BigInt(DATA + 0x1000));
    assert.equal(machine.read64(DATA + 0xff8), 0n);
  });

  test('lands in both, wherever they lie', () => {
    machine.long(store(DATA + 0xffc));
    cpu.set('rax', 0x8877_6655_4433_2211n);
    machine.write64(machine.entryOf(DATA + 0x1000), BigInt(DATA + 0x5000) | P | W);
    machine.run();
    assert.deepEqual(machine.read(DATA + 0xffc, 4), [0x11, 0x22, 0x33, 0x44]);
    assert.deepEqual(machine.read(DATA + 0x5000, 4), [0x55, 0x66, 0x77, 0x88]);
  });
});

describe('what the TLB keeps', () => {
  const reload = [...asm.fromCr(3, 'rdx'), ...asm.toCr(3, 'rdx')];

  test('a changed entry is seen behind INVLPG', () => assert.equal(run(asm.invlpgRdi), 2n));
  test('a changed entry is seen behind a write of CR3', () => assert.equal(run(reload), 2n));
  test('a global page outlives a write of CR3', () => assert.equal(run(reload, G), 1n));
  test('INVLPG drops a global page', () => assert.equal(run(asm.invlpgRdi, G), 2n));
  test('switching CR4.PGE drops global pages', () =>
    assert.equal(
      run([...asm.fromCr(4, 'rdx'), 0x48, 0x0f, 0xba, 0xf2, 7, ...asm.toCr(4, 'rdx'), ...asm.load('rcx')], G),
      2n,
    ));

  test('INVLPG of any address of a 2 MiB page drops all of it', () => {
    machine.long([
      ...asm.mov('rdi', 0x20_3000),
      ...asm.load('rbx'),
      ...asm.mov('rdi', guest.PD + 8),
      ...asm.mov('rax', P | W | PS),
      ...asm.store('rax'),
      ...asm.mov('rdi', 0x21_0000),
      ...asm.invlpgRdi,
      ...asm.mov('rdi', 0x20_3000),
      ...asm.load('rcx'),
      ...asm.hlt,
    ]);
    machine.write64(guest.PD + 8, 0x20_0000n | P | W | PS);
    machine.write64(0x20_3000, 1n);
    machine.write64(guest.TSS, 2n);
    machine.run();
    assert.deepEqual([cpu.get('rbx'), cpu.get('rcx')], [1n, 2n]);
  });

  test('INVLPG of any address of a 1 GiB page drops all of it', () => {
    machine.long([
      ...asm.mov('rdi', 0x4020_0010),
      ...asm.load('rbx'),
      ...asm.mov('rdi', guest.PDPT + 8),
      ...asm.mov('rax', 0),
      ...asm.store('rax'),
      ...asm.mov('rdi', 0x4000_0000),
      ...asm.invlpgRdi,
      ...asm.mov('rdi', 0x4020_0010),
      ...asm.load('rcx'),
    ]);
    machine.write64(guest.PDPT + 8, P | W | PS);
    expectPageFault(0, 0x4020_0010n);
  });

  test('what the kernel may touch the user still may not', () => {
    machine.long([...load(DATA)]);
    machine.write64(machine.entryOf(DATA), BigInt(DATA) | P | W);
    machine.run();
    assert.equal(machine.handler(), -1);
    const user = { dpl: 3, selector: guest.USER_CS | 3 };
    machine.write(USER_CODE, load(DATA));
    cpu.setSegment('cs', { ...cpu.segment('cs'), ...user });
    cpu.setSegment('ss', { ...cpu.segment('ss'), dpl: 3, selector: guest.USER_SS | 3 });
    cpu.set('rip', BigInt(USER_CODE));
    cpu.commit();
    expectPageFault(5, BigInt(DATA));
  });
});

describe('large pages and other table formats', () => {
  test('a 1 GiB page', () => {
    machine.long(load(0x4020_0010));
    machine.write64(guest.PDPT + 8, 0n | P | W | PS);
    machine.write64(0x20_0010, 9n);
    machine.run();
    assert.equal(cpu.get('rax'), 9n);
  });

  test('translate answers without leaving a trace', () => {
    machine.long(asm.hlt);
    machine.write64(guest.PD + 8, 0x20_0000n | P | W | PS);
    assert.deepEqual(machine.engine.translate(0x20_1234n), { gpa: 0x20_1234, encrypted: false });
    assert.equal(machine.engine.translate(0x40_0000n), undefined);
    assert.equal(machine.read64(guest.PD + 8) & A, 0n);
    assert.equal(cpu.get('cr2'), 0n);
  });
});

describe('the C bit', () => {
  const cBit = 1n << 47n;

  test('of an entry is what fill is told for data, without it in the frame number', () => {
    machine.long([...load(DATA), ...store(DATA + 0x1000)], { cBit });
    machine.write64(machine.entryOf(DATA + 0x1000), BigInt(DATA + 0x1000) | P | W);
    machine.run();
    machine.run();
    assert.deepEqual(find(DATA >> 12, layout.ACCESS_READ), [true]);
    assert.deepEqual(find((DATA >> 12) + 1, layout.ACCESS_WRITE), [false]);
  });

  test('walks and fetches are private whatever it says', () => {
    machine.long([...load(DATA)], { cBit });
    for (const table of [guest.PML4, guest.PDPT, guest.PD]) machine.write64(table, machine.read64(table) & ~cBit);
    machine.write64(machine.entryOf(CODE), BigInt(CODE) | P | W);
    cpu.set('cr3', BigInt(guest.PML4));
    cpu.commit();
    machine.run();
    assert.equal(machine.handler(), -1);
    const walks = machine.fills.filter((fill) => (fill.access & layout.ACCESS_WALK) !== 0);
    assert.ok(walks.length >= 4);
    assert.ok(walks.every((fill) => fill.encrypted));
    assert.deepEqual(find(CODE >> 12, layout.ACCESS_EXECUTE), [true]);
  });

  test('unpaged accesses are private where the guest has one, and not where it has none', () => {
    for (const mask of [cBit, 0n]) {
      machine.reset();
      cpu.set('cBitMask', mask);
      cpu.setSegment('cs', { ...cpu.segment('cs'), base: 0n, selector: 0 });
      cpu.set('rip', 0x1000n);
      cpu.commit();
      machine.write(0x1000, [0xa0, 0x00, 0x20, 0xf4]);
      assert.equal(machine.run(), layout.EXIT_HLT);
      assert.deepEqual(find(2, layout.ACCESS_READ), [mask !== 0n]);
    }
  });

  test('a bit above the guest’s address width is reserved where it has no C bit', () => {
    machine.long(load(DATA));
    machine.write64(machine.entryOf(DATA), BigInt(DATA) | P | W | cBit);
    expectPageFault(9, BigInt(DATA));
  });
});

describe('what isn’t memory', () => {
  beforeEach(() => {
    machine.long([]);
    machine.write64(guest.PD + 8, 0xfee0_0000n | P | W | PS);
  });

  test('ends the run with the address, the size and the value', () => {
    machine.write(CODE, store(0x20_0030));
    cpu.set('rax', 0x1_0000_0002n);
    assert.equal(machine.run(), layout.EXIT_MMIO);
    assert.equal(machine.arg(layout.EXIT_ARG0), 0xfee0_0030);
    assert.equal(machine.arg(layout.EXIT_ARG1), 8 | 0x100);
    assert.equal(machine.arg(layout.EXIT_ARG2), 0x1_0000_0002);
    assert.equal(cpu.get('rip'), BigInt(CODE + 10), 'at the instruction');
  });

  test('a write to read-only memory is one, a read isn’t', () => {
    machine.readOnly.add(DATA >> 12);
    machine.write(CODE, [...load(DATA), ...asm.store('rax')]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.run(), layout.EXIT_MMIO);
    assert.equal(machine.arg(layout.EXIT_ARG0), DATA);
  });

  test('a frame that the host refuses ends the run, and the instruction can be done again', () => {
    machine.refused.add(DATA >> 12);
    machine.write64(DATA, 3n);
    machine.write(CODE, load(DATA));
    assert.equal(machine.run(), layout.EXIT_FILL);
    assert.equal(cpu.get('rip'), BigInt(CODE + 10));
    machine.refused.clear();
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rax'), 3n);
  });
});
