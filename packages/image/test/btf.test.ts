import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Btf } from '../src/kernel/btf.ts';
import { btfSection } from './synthetic/btf-section.ts';

const section = btfSection({ enc_dec_hypercall: ['vaddr', 'size', 'enc'], nothing: [], other: ['a'] });

describe('BTF', () => {
  test('tells the parameters of a function, with their types', () => {
    const type = 'long unsigned int';
    assert.deepEqual(Btf.read(section)?.function('enc_dec_hypercall'), {
      name: 'enc_dec_hypercall',
      parameters: [
        { name: 'vaddr', type },
        { name: 'size', type },
        { name: 'enc', type },
      ],
    });
    assert.deepEqual(Btf.read(section)?.function('nothing')?.parameters, []);
  });

  test('has no function that it does not name', () => {
    assert.equal(Btf.read(section)?.function('enc_dec'), undefined);
    assert.equal(Btf.read(section)?.function('pair'), undefined);
  });

  test('of another version, or cut off, is none', () => {
    const version = Buffer.from(section);
    version[2] = 2;
    assert.equal(Btf.read(version), undefined);
    for (let length = 0; length < section.length; length++)
      assert.equal(Btf.read(section.subarray(0, length)), undefined, `${length} bytes`);
  });

  test('that is damaged never throws', () => {
    fc.assert(
      fc.property(fc.nat(section.length - 1), fc.nat(255), (at, value) => {
        const bytes = Buffer.from(section);
        bytes[at] = value;
        Btf.read(bytes)?.function('enc_dec_hypercall');
      }),
      { numRuns: 2000 },
    );
  });
});
