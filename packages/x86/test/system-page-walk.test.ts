import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { layout } from '../src/index.ts';
import { asm } from './guest/bytes.ts';
import * as guest from './guest/machine.ts';
import { ACCESSED, type AccessKind, DIRTY, walk } from './guest/page-walk.ts';

const { CODE, D, DATA, Machine, NX, P, PS, U, USER_CODE, W } = guest;

const machine = new Machine();
const { cpu } = machine;

/** Tables of an address of its own, below the second entry of the top one. */
const TABLES = [0x10_0000, 0x10_1000, 0x10_2000] as const;
const LINEAR = (1n << 39n) | (3n << 30n) | (7n << 12n) | 0x340n;
const TOP = guest.PML4 + 8;
const ENTRIES = [TOP, TABLES[0] + 3 * 8, TABLES[1], TABLES[2] + 7 * 8] as const;
/** What entries may lead to: the next table, or the page, or for a large page 0. */
const TARGETS = [BigInt(TABLES[0]), BigInt(TABLES[1]), BigInt(TABLES[2]), BigInt(DATA)] as const;
const C_BIT = 1n << 47n;
const RESERVED = 1n << 45n;

/** A bit that is set in most entries, or in few. */
const mostly = (bit: bigint) => fc.boolean().chain((other) => fc.constantFrom(bit, bit, bit, other ? 0n : bit));
const seldom = (bit: bigint) => fc.constantFrom(0n, 0n, 0n, 0n, 0n, bit);
const entry = fc
  .tuple(
    mostly(P),
    mostly(W),
    mostly(U),
    seldom(NX),
    fc.constantFrom(0n, ACCESSED),
    fc.constantFrom(0n, D),
    seldom(PS),
    seldom(RESERVED),
    fc.constantFrom(0n, C_BIT),
    seldom(0x2000n),
  )
  .map((bits) => bits.reduce((all, bit) => all | bit, 0n));

const instructions: Readonly<Record<AccessKind, readonly number[]>> = {
  read: asm.load('rax'),
  write: asm.store('rax'),
  fetch: asm.jmpRdi,
};

interface Case {
  readonly entries: readonly bigint[];
  readonly kinds: readonly AccessKind[];
  readonly isUser: boolean;
  readonly writeProtect: boolean;
  readonly noExecuteEnabled: boolean;
  readonly hasCBit: boolean;
}

const cases: fc.Arbitrary<Case> = fc.record({
  entries: fc.tuple(entry, entry, entry, entry),
  // A second access finds what the first one left in the TLB.
  kinds: fc.array(fc.constantFrom<AccessKind>('read', 'write', 'fetch'), { minLength: 1, maxLength: 3 }),
  isUser: fc.boolean(),
  writeProtect: fc.boolean(),
  noExecuteEnabled: fc.boolean(),
  hasCBit: fc.boolean(),
});

function prepare(given: Case): void {
  const code = given.kinds.flatMap((kind) => instructions[kind]);
  machine.long([...asm.mov('rdi', LINEAR), ...code, ...asm.int3], {
    cpl: given.isUser ? 3 : 0,
    cBit: given.hasCBit ? C_BIT : 0n,
  });
  machine.gate(3, { dpl: 3 });
  given.entries.forEach((bits, index) => {
    const isLarge = (bits & PS) !== 0n && index < 3;
    // What the bits leave open leads on; 0x2000 makes a large page's address no multiple of its size.
    const target = isLarge ? bits & 0x2000n : (TARGETS[index] ?? 0n);
    machine.write64(ENTRIES[index] ?? 0, target | (bits & ~0x2000n));
  });
  // INT3, wherever a page of any size leads, and whatever was written.
  const stop = Array.from({ length: 16 }, () => 0xcc);
  machine.write(DATA + 0x340, stop);
  machine.write(0x7340, stop);
  cpu.set('rax', 0xcccc_cccc_cccc_ccccn);
  cpu.set('cr0', given.writeProtect ? 0x8001_0013n : 0x8000_0013n);
  cpu.set('efer', given.noExecuteEnabled ? 0xd01n : 0x501n);
  cpu.commit();
}

/** Goes through the accesses as the manual says; answers the fault that must come, and what the entries must be. */
function expected(given: Case): { fault: number | undefined; rip: bigint; entries: bigint[] } {
  const entries = ENTRIES.map((at) => machine.read64(at));
  const start = given.isUser ? USER_CODE : CODE;
  let rip = BigInt(start + 10);
  for (const kind of given.kinds) {
    const found = walk({
      top: TOP,
      linear: LINEAR,
      kind,
      isUser: given.isUser,
      writeProtect: given.writeProtect,
      noExecuteEnabled: given.noExecuteEnabled,
      cBit: given.hasCBit ? C_BIT : 0n,
      reserved: 0x000f_ff00_0000_0000n & ~(given.hasCBit ? C_BIT : 0n),
      read: (gpa) => entries[ENTRIES.indexOf(gpa)] ?? 0n,
    });
    for (const at of found.touched) {
      const index = ENTRIES.indexOf(at);
      entries[index] = (entries[index] ?? 0n) | ACCESSED;
    }
    if ('code' in found) return { fault: found.code, rip: kind === 'fetch' ? LINEAR : rip, entries };
    const last = ENTRIES.indexOf(found.touched.at(-1) ?? 0);
    if (kind === 'write') entries[last] = (entries[last] ?? 0n) | DIRTY;
    if (kind === 'fetch') return { fault: undefined, rip: LINEAR, entries };
    rip += 3n;
  }
  return { fault: undefined, rip, entries };
}

test('any tables, any access: the fault, its code, and the accessed and dirty bits are the manual’s', () => {
  fc.assert(
    fc.property(cases, (given) => {
      prepare(given);
      const wanted = expected(given);
      assert.equal(machine.run(), layout.EXIT_HLT);
      if (wanted.fault === undefined) assert.notEqual(machine.handler(), 14);
      else {
        assert.equal(machine.handler(), 14);
        assert.equal(cpu.get('cr2'), LINEAR);
        assert.deepEqual(machine.stack(2), [BigInt(wanted.fault), wanted.rip]);
      }
      assert.deepEqual(
        ENTRIES.map((at) => machine.read64(at)),
        wanted.entries,
      );
    }),
    { numRuns: 600 },
  );
});
