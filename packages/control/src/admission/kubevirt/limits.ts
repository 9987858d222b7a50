import { isFields } from './fields.ts';

/** Real VMs nest some twenty deep and have some thousand values; the API server itself takes 10,000 levels. */
const DEEPEST = 64;
const MOST_VALUES = 100_000;

/** What is too much in an object, undefined where nothing is. Not recursive: what is measured may be made to hurt. */
export function tooMuch(object: unknown): string | undefined {
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value: object, depth: 1 }];
  let values = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    const children = isFields(value) ? Object.values(value) : Array.isArray(value) ? (value as unknown[]) : [];
    values += children.length;
    if (values > MOST_VALUES) return `more than ${MOST_VALUES} values`;
    if (children.length > 0 && depth > DEEPEST) return `nested deeper than ${DEEPEST}`;
    for (const child of children)
      if (typeof child === 'object' && child !== null) waiting.push({ value: child, depth: depth + 1 });
  }
  return undefined;
}
