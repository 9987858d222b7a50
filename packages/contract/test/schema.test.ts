import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Type as Box, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { check, KEYWORDS } from '../src/check.ts';
import * as contract from '../src/index.ts';
import { Type } from '../src/schema.ts';

/** The same schema by TypeBox and by this contract's builders. */
const PAIRS = [Box, Type as unknown as typeof Box].map((T) =>
  T.Object({
    name: T.String({ minLength: 1, maxLength: 5, pattern: '^[a-z]*$' }),
    size: T.Optional(T.Integer({ minimum: 0, multipleOf: 4 })),
    ratio: T.Optional(T.Number({ maximum: 1 })),
    mode: T.Optional(T.Union([T.Literal('fast'), T.Literal(3), T.Object({ kind: T.Literal('own'), on: T.Boolean() })])),
    tags: T.Optional(T.Array(T.Enum(['a', 'b']), { uniqueItems: true, maxItems: 2 })),
    counts: T.Optional(T.Record(T.String(), T.Number())),
    rest: T.Optional(T.Unknown()),
  }),
) as unknown as [TSchema, TSchema];

const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    'fast',
    3,
    'a',
    ['a', 'b'],
    ['c'],
    { kind: 'own', on: true },
    { kind: 'own' },
    { x: 1 },
    'abcdef',
    4,
    -4,
    1.5,
  ),
);
const candidate = fc.record(
  { name: anything, size: anything, ratio: anything, mode: anything, tags: anything, counts: anything, rest: anything },
  { requiredKeys: [] },
);

describe('a schema of this contract', () => {
  test('is the JSON Schema that TypeBox writes', () => {
    const [theirs, ours] = PAIRS;
    assert.deepEqual(JSON.parse(JSON.stringify(ours)), JSON.parse(JSON.stringify(theirs)));
  });

  test('accepts what TypeBox accepts, and nothing else', () => {
    const [theirs, ours] = PAIRS;
    fc.assert(
      fc.property(
        fc.oneof(
          candidate,
          candidate.map((value) => ({ ...value, name: 'web' })),
          fc.jsonValue(),
        ),
        (value) => {
          assert.equal(check(ours, value).ok, Value.Check(theirs, value), JSON.stringify(value));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('uses no keyword that the checker would not check', () => {
    const schemas = Object.values(contract).filter((value) => typeof value === 'object' && value !== null);
    const found = new Set(schemas.flatMap((value) => ('type' in value || 'anyOf' in value ? keywordsOf(value) : [])));
    assert.ok(found.has('pattern') && found.has('anyOf'));
    assert.deepEqual(
      [...found].filter((keyword) => !KEYWORDS.has(keyword)),
      [],
    );
  });
});

describe('a value that does not fit', () => {
  const ours = PAIRS[1];
  for (const [value, problem] of [
    [[], '/: must be an object'],
    [{}, '/name: is missing'],
    [{ name: 'UPPER' }, '/name: must match ^[a-z]*$'],
    [{ name: 'web', size: 3 }, '/size: must be a multiple of 4'],
    [{ name: 'web', mode: { kind: 'own' } }, '/mode/on: is missing'],
    [{ name: 'web', tags: ['a', 'c'] }, '/tags/1: must be one of a, b'],
    [{ name: 'web', counts: { x: 'y' } }, '/counts/x: must be a number'],
  ] as const)
    test(`says where and why: ${problem}`, () => assert.deepEqual(check(ours, value), { ok: false, problem }));
});

/** All keywords of a schema and of those inside it. */
function keywordsOf(schema: object): readonly string[] {
  const { properties, patternProperties, items, anyOf } = schema as Record<string, unknown>;
  const inside = [properties, patternProperties, anyOf].flatMap((group) => Object.values(group ?? {}) as object[]);
  return [
    ...Object.keys(schema),
    ...[...inside, ...(items === undefined ? [] : [items as object])].flatMap(keywordsOf),
  ];
}
