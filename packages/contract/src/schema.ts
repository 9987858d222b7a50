import type { Type as Box } from 'typebox';

export type { Static, TObject, TSchema } from 'typebox';

/** The builders that this contract is written with. */
type Builders = Pick<
  typeof Box,
  | 'Object'
  | 'Array'
  | 'Record'
  | 'Union'
  | 'Optional'
  | 'Literal'
  | 'Enum'
  | 'String'
  | 'Number'
  | 'Integer'
  | 'Boolean'
  | 'Unknown'
>;

type Json = Readonly<Record<string, unknown>>;

/** Properties whose schema is here need not be there. The mark is no part of the schema. */
const optional = new WeakSet<Json>();

/** Plain JSON Schema, as TypeBox writes it: `build` is the part that both sides of a test compare. */
const build = {
  Object: (properties: Readonly<Record<string, Json>>, options: Json = {}): Json => {
    const required = Object.keys(properties).filter((name) => !optional.has(properties[name] ?? {}));
    return { type: 'object', ...(required.length === 0 ? {} : { required }), properties, ...options };
  },
  Array: (items: Json, options: Json = {}): Json => ({ type: 'array', items, ...options }),
  Record: (_key: Json, value: Json, options: Json = {}): Json => ({
    type: 'object',
    patternProperties: { '^.*$': value },
    ...options,
  }),
  Union: (anyOf: readonly Json[], options: Json = {}): Json => ({ anyOf, ...options }),
  Optional: (schema: Json): Json => {
    const copy = { ...schema };
    optional.add(copy);
    return copy;
  },
  Literal: (value: string | number | boolean, options: Json = {}): Json => ({
    type: typeof value,
    const: value,
    ...options,
  }),
  Enum: (values: readonly (string | number)[], options: Json = {}): Json => ({ enum: values, ...options }),
  String: (options: Json = {}): Json => ({ type: 'string', ...options }),
  Number: (options: Json = {}): Json => ({ type: 'number', ...options }),
  Integer: (options: Json = {}): Json => ({ type: 'integer', ...options }),
  Boolean: (options: Json = {}): Json => ({ type: 'boolean', ...options }),
  Unknown: (options: Json = {}): Json => ({ ...options }),
};

/**
 * TypeBox's builders with TypeBox's types, without TypeBox: it is 700 modules, which every program that speaks this
 * contract would load first. A test holds the schemas against TypeBox's own.
 */
export const Type = build as unknown as Builders;
