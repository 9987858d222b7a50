/** A tree with a directory of each form, and what is to be found of it. */
import { content } from './content.ts';
import type { XfsTree } from './xfs-image.ts';

const EMPTY = Buffer.alloc(0);

export function manyNames(count: number, entry: Uint8Array = EMPTY): XfsTree {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`an-entry-with-number-${index}`, entry]));
}

export const TREE: XfsTree = {
  empty: EMPTY,
  small: Buffer.from('hello\n'),
  'vmlinuz-6.12.48+deb13-amd64': content(1_500_000, 1),
  vmlinuz: 'vmlinuz-6.12.48+deb13-amd64',
  absolute: '/usr/lib/modules',
  'ünïcödé—漢字😀': Buffer.from('u'),
  [`${'n'.repeat(254)}!`]: Buffer.from('long'),
  'in-the-inode': { a: EMPTY, b: { c: { d: Buffer.from('deep') } } },
  'one-block': manyNames(40),
  'a-leaf': manyNames(800),
};

/** As `readTree` finds it. */
export function expectedOf(tree: XfsTree, at = ''): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [name, entry] of Object.entries(tree)) {
    const isFolder = typeof entry !== 'string' && !(entry instanceof Uint8Array);
    found.set(`${at}/${name}`, isFolder ? 'directory' : entry);
    if (isFolder) for (const [path, below] of expectedOf(entry, `${at}/${name}`)) found.set(path, below);
  }
  return found;
}

/** In an order of its own, for comparing. */
export function sorted(found: ReadonlyMap<string, unknown>): [string, unknown][] {
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}
