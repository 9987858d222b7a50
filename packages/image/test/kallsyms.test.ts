import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { decodeKallsyms, type SymbolTable } from '../src/index.ts';
import { readElf64 } from '../src/kernel/elf.ts';
import { elfImage } from './synthetic/elf-image.ts';
import { kallsymsTables, type Layout, type TestSymbol } from './synthetic/kallsyms-tables.ts';
import { syntheticKernel, TEXT } from './synthetic/kernel.ts';

const SPAN = 0x200000;
const symbols: TestSymbol[] = Array.from({ length: 3000 }, (_, i) => ({
  address: TEXT + BigInt(i * 32),
  type: i % 2 === 0 ? 'T' : 't',
  name: `kvm_lock_${i.toString(36)}`,
}));
const percpu: TestSymbol[] = [
  { address: 0n, type: 'A', name: 'fixed_percpu_data' },
  { address: 0x2000n, type: 'A', name: 'get_page_counter' },
];

function decode(
  list: readonly TestSymbol[],
  layout: Layout,
  encoding: 'relative' | 'absolute-percpu',
  alignment: 4 | 8 = 8,
): SymbolTable | undefined {
  // As in real kernels the tables lie somewhere in the segment, not at its start.
  const bytes = Buffer.concat([
    Buffer.alloc(4096, 0x3c),
    kallsymsTables(list, layout, encoding, TEXT + 4096n, alignment),
  ]);
  return decodeBytes(bytes);
}

function decodeBytes(bytes: Uint8Array): SymbolTable | undefined {
  return decodeKallsyms(readElf64(elfImage([{ name: '.rodata', vaddr: TEXT, bytes, segmentFlags: 5, memsz: SPAN }])));
}

describe('kallsyms is decoded', () => {
  for (const layout of ['before', 'seqs-between', 'after'] as const)
    for (const alignment of [4, 8] as const) {
      test(`with relative addresses, tables ${layout}, aligned to ${alignment}`, () => {
        const table = decode(symbols, layout, 'relative', alignment);
        assert.equal(table?.encoding, 'relative');
        assert.deepEqual([...table.entries()], symbols);
      });
      test(`with absolute per-CPU addresses, tables ${layout}, aligned to ${alignment}`, () => {
        const table = decode([...percpu, ...symbols], layout, 'absolute-percpu', alignment);
        assert.equal(table?.encoding, 'absolute-percpu');
        assert.deepEqual([...table.entries()], [...percpu, ...symbols]);
      });
    }

  for (const alignment of [4, 8] as const)
    test(`with addresses relative to their own place, aligned to ${alignment}`, () => {
      const table = decode(symbols, 'pc-relative', 'relative', alignment);
      assert.equal(table?.encoding, 'pc-relative');
      assert.deepEqual([...table.entries()], symbols);
    });

  test('with a name longer than 127 tokens', () => {
    const long = { address: TEXT + 0x100000n, type: 't', name: 'q'.repeat(300) };
    const table = decode([...symbols, long], 'after', 'relative');
    assert.equal(table?.lookup(long.name), long.address);
  });
});

describe('a symbol table', () => {
  const table = decode([...percpu, ...symbols], 'after', 'absolute-percpu');
  assert.ok(table);

  test('finds a name only if it is the whole name', () => {
    assert.equal(table.lookup('kvm_lock_a'), TEXT + 320n);
    assert.equal(table.lookup('kvm_lock_'), undefined);
    assert.equal(table.lookup('kvm_lock_aaaaaaa'), undefined);
    assert.equal(table.lookup(''), undefined);
    assert.equal(table.lookup('fixed_percpu_data'), 0n);
  });

  test('names an address by the symbol at or before it', () => {
    assert.deepEqual(table.symbolAt(TEXT), { name: 'kvm_lock_0', offset: 0 });
    assert.deepEqual(table.symbolAt(TEXT + 31n), { name: 'kvm_lock_0', offset: 31 });
    assert.deepEqual(table.symbolAt(TEXT + 32n), { name: 'kvm_lock_1', offset: 0 });
  });

  test('names nothing outside the kernel', () => {
    for (const address of [0n, 0x1000n, TEXT - 1n, TEXT + 0x1f0000n, 0xffffffffffffffffn, -1n])
      assert.equal(table.symbolAt(address), undefined, address.toString(16));
  });

  test('names the first of several symbols at one address', () => {
    const alias = { address: TEXT + 320n, type: 'T', name: 'kvm_lock_zzzz' };
    const list = [...symbols.slice(0, 11), alias, ...symbols.slice(11)];
    assert.deepEqual(decode(list, 'after', 'relative')?.symbolAt(TEXT + 325n), { name: 'kvm_lock_a', offset: 5 });
  });

  test('agrees with a plain search, whatever the list', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1001, maxLength: 1300 });
    const layouts = fc.constantFrom<Layout>('before', 'seqs-between', 'after', 'pc-relative');
    fc.assert(
      fc.property(gaps, layouts, fc.array(fc.nat(0x60000)), (gaps, layout, probes) => {
        let address = TEXT;
        const list = gaps.map((gap, i) => ({
          address: (address += BigInt(gap)),
          type: 't',
          name: `get_${i.toString(36)}`,
        }));
        const table = decode(list, layout, 'relative');
        assert.ok(table);
        for (const probe of probes) {
          const at = TEXT + BigInt(probe);
          const expected = list.findLast((symbol) => symbol.address <= at);
          const first = list.find((symbol) => symbol.address === expected?.address);
          const beyond = at > (list.at(-1)?.address ?? 0n);
          const wanted = first && !beyond ? { name: first.name, offset: Number(at - first.address) } : undefined;
          assert.deepEqual(table.symbolAt(at), wanted);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('kallsyms that is damaged is not decoded', () => {
  const good = kallsymsTables(symbols, 'after', 'relative', TEXT);

  test('not wrongly: any flipped bit in its structure leads to none, or to the same addresses', () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(7), (at, bit) => {
        const bytes = Buffer.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const table = decodeBytes(bytes);
        assert.ok(table === undefined || table.size === symbols.length);
      }),
      { numRuns: 300 },
    );
  });

  test('a cut-off table is none', () => {
    for (const length of [0, 100, 5000, good.length - 9100]) {
      assert.equal(decodeBytes(good.subarray(0, length)), undefined);
    }
  });

  test('an image full of what looks like tables takes no longer than it must', () => {
    const markers = Buffer.alloc(2 ** 20);
    for (let at = 0; at < markers.length; at += 4)
      markers.writeUInt32LE((at / 4) % 3 === 0 ? 0 : ((at / 4) % 3) * 3000, at);
    const tokens = kallsymsTables(symbols, 'before', 'relative', TEXT).subarray(-4000);
    const bytes = Buffer.concat(Array.from({ length: 40 }, () => [markers, tokens]).flat());
    const elf = elfImage([{ name: '.rodata', vaddr: TEXT, bytes, segmentFlags: 5, memsz: bytes.length }]);
    assert.equal(decodeKallsyms(readElf64(elf)), undefined);
  });

  test('an image without tables has none', () => {
    assert.equal(decodeKallsyms(readElf64(syntheticKernel({ symbols: 'none' }))), undefined);
  });
});
