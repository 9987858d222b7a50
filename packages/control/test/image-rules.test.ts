import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { imageByRules, matches } from '../src/admission/image-rules.ts';

describe('a pattern', () => {
  test('fits what a regular expression of its parts fits', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/'), maxLength: 12 });
    const pattern = fc.array(letters, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('*'));
    fc.assert(
      fc.property(pattern, letters, (text, name) => {
        const expression = text
          .split('*')
          .map((part) => RegExp.escape(part))
          .join('.*');
        assert.equal(matches(text, name), new RegExp(`^${expression}$`, 's').test(name));
      }),
      { numRuns: 5000 },
    );
  });

  test('is answered at once, whatever the name is made for', () => {
    const name = 'a'.repeat(100_000);
    assert.equal(matches(`${'a*'.repeat(100)}b`, name), false);
  });
});

test('the first rule that fits counts, not the first reference', () => {
  const rules = [
    { from: 'http', match: 'https://a/*', image: 'by-http' },
    { from: 'data-volume', match: '*', image: 'by-name' },
  ] as const;
  const references = [
    { from: 'data-volume', name: 'root', namespace: 'shop' },
    { from: 'http', name: 'https://a/x' },
  ] as const;
  assert.equal(imageByRules(rules, references)?.image, 'by-http');
  assert.equal(imageByRules(rules, references.slice(0, 1))?.image, 'by-name');
  assert.equal(imageByRules([{ ...rules[1], namespace: 'other' }], references), undefined);
});
