/** Reading of objects that anybody may have written: own properties only, nothing recursive, every length bounded. */

/** An object that is not of the shape that KubeVirt gives it. */
export class MalformedObject extends Error {
  constructor(where: string, needed: string) {
    super(`${where.slice(0, 200)} must be ${needed}`);
  }
}

/** Longest string that means anything here: image references are the longest. */
const LONGEST = 2048;

export type Fields = Readonly<Record<string, unknown>>;

/** An own property; `null` counts as absent, as everywhere in Kubernetes. */
export function field(object: Fields, name: string): unknown {
  return Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object at a path of names, undefined where any step is absent. Throws MalformedObject where one is no object. */
export function objectAt(object: Fields, ...path: readonly string[]): Fields | undefined {
  let at: Fields = object;
  for (const [index, name] of path.entries()) {
    const next = field(at, name);
    if (next === undefined) return undefined;
    if (!isFields(next)) throw new MalformedObject(path.slice(0, index + 1).join('.'), 'an object');
    at = next;
  }
  return at;
}

/** A string, undefined where it is absent or empty. */
export function stringOf(object: Fields, name: string): string | undefined {
  const value = field(object, name);
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new MalformedObject(name, 'a string');
  if (value.length > LONGEST) throw new MalformedObject(name, `at most ${LONGEST} characters`);
  return value;
}

export function numberOf(object: Fields, name: string): number | undefined {
  const value = field(object, name);
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new MalformedObject(name, 'a number');
  return value;
}

/** A list of objects, empty where it is absent. */
export function listOf(object: Fields, name: string, most: number): readonly Fields[] {
  const value = field(object, name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new MalformedObject(name, 'a list');
  if (value.length > most) throw new MalformedObject(name, `a list of at most ${most}`);
  return value.map((item: unknown, index) => {
    if (!isFields(item)) throw new MalformedObject(`${name}[${index}]`, 'an object');
    return item;
  });
}
