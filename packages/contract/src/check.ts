import type { Static, TSchema } from './schema.ts';

/** What a value from outside was found to be. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly /** Where, and what is wrong there. */ problem: string };

/** Whether a value fits a schema of this contract, with the first thing that doesn't. */
export function check<S extends TSchema>(schema: S, value: unknown): Checked<Static<S>> {
  const problem = problemOf(schema, value, '');
  return problem === undefined ? { ok: true, value: value as Static<S> } : { ok: false, problem };
}

/** The part of JSON Schema that this contract is written in. */
interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  /** For records: one schema for every name. */
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** Items are told apart by their JSON. */
  readonly uniqueItems?: boolean;
}

/** Keywords that are checked, and those that are only words for people. */
export const KEYWORDS: ReadonlySet<string> = new Set(
  (
    'type required properties patternProperties items anyOf const enum ' +
    'minLength maxLength pattern minimum maximum multipleOf minItems maxItems uniqueItems title description default examples'
  ).split(' '),
);

function problemOf(schema: Schema, value: unknown, at: string): string | undefined {
  // A rule that nobody checks would be worse than none.
  const unknown = Object.keys(schema).find((keyword) => !KEYWORDS.has(keyword));
  if (unknown !== undefined) throw new TypeError(`the contract's checker knows no '${unknown}'`);
  const where = at === '' ? '/' : at;
  if (schema.anyOf !== undefined) return problemOfUnion(schema.anyOf, value, at);
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return `${where}: must be one of ${schema.enum.join(', ')}`;
  if ('const' in schema && schema.const !== value) return `${where}: must be ${JSON.stringify(schema.const)}`;
  switch (schema.type) {
    case undefined:
      return undefined;
    case 'object':
      return problemOfObject(schema, value, at);
    case 'array':
      return problemOfArray(schema, value, at);
    case 'string':
      return problemOfString(schema, value, where);
    case 'number':
    case 'integer':
      return problemOfNumber(schema, value, where);
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `${where}: must be a boolean`;
  }
}

/** Where one alternative fits as far as its literals go, that one's problem says most. */
function problemOfUnion(anyOf: readonly Schema[], value: unknown, at: string): string | undefined {
  const problems: string[] = [];
  for (const schema of anyOf) {
    const problem = problemOf(schema, value, at);
    if (problem === undefined) return undefined;
    problems.push(problem);
  }
  const meant = anyOf.findIndex((schema) => literalsFit(schema, value));
  return problems[meant === -1 ? 0 : meant];
}

function literalsFit(schema: Schema, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const literals = Object.entries(schema.properties ?? {}).filter(([, property]) => 'const' in property);
  return literals.length > 0 && literals.every(([name, property]) => own(value, name) === property.const);
}

function problemOfObject(schema: Schema, value: unknown, at: string): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${at || '/'}: must be an object`;
  for (const name of schema.required ?? []) if (own(value, name) === undefined) return `${at}/${name}: is missing`;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const found = own(value, name);
    const problem = found === undefined ? undefined : problemOf(property, found, `${at}/${name}`);
    if (problem !== undefined) return problem;
  }
  for (const [pattern, property] of Object.entries(schema.patternProperties ?? {})) {
    const names = new RegExp(pattern, 'u');
    for (const name of Object.keys(value)) {
      const problem = names.test(name) ? problemOf(property, own(value, name), `${at}/${name}`) : undefined;
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function problemOfArray(schema: Schema, value: unknown, at: string): string | undefined {
  if (!Array.isArray(value)) return `${at || '/'}: must be an array`;
  if (value.length < (schema.minItems ?? 0)) return `${at || '/'}: must have at least ${schema.minItems} items`;
  if (value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY))
    return `${at || '/'}: must have at most ${schema.maxItems} items`;
  if (schema.uniqueItems === true && new Set(value.map((item) => JSON.stringify(item))).size < value.length)
    return `${at || '/'}: must not have the same item twice`;
  for (const [index, item] of value.entries()) {
    const problem = schema.items === undefined ? undefined : problemOf(schema.items, item, `${at}/${index}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemOfString(schema: Schema, value: unknown, where: string): string | undefined {
  if (typeof value !== 'string') return `${where}: must be a string`;
  const { length } = Array.from(value);
  if (length < (schema.minLength ?? 0)) return `${where}: must have at least ${schema.minLength} characters`;
  if (length > (schema.maxLength ?? Number.POSITIVE_INFINITY))
    return `${where}: must have at most ${schema.maxLength} characters`;
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
    return `${where}: must match ${schema.pattern}`;
  return undefined;
}

function problemOfNumber(schema: Schema, value: unknown, where: string): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return `${where}: must be a number`;
  if (schema.type === 'integer' && !Number.isInteger(value)) return `${where}: must be an integer`;
  if (value < (schema.minimum ?? Number.NEGATIVE_INFINITY)) return `${where}: must be at least ${schema.minimum}`;
  if (value > (schema.maximum ?? Number.POSITIVE_INFINITY)) return `${where}: must be at most ${schema.maximum}`;
  if (schema.multipleOf !== undefined && value % schema.multipleOf !== 0)
    return `${where}: must be a multiple of ${schema.multipleOf}`;
  return undefined;
}

/** A property of the value itself; one that is undefined doesn't travel, so it isn't there. */
function own(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
