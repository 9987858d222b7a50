import { FormatError } from '../format-error.ts';
import type { FileNode, Filesystem } from './filesystem.ts';
import { walk } from './path.ts';

/** A file found by a pattern. Links are followed. */
export interface Match {
  /** The pattern with its wildcards filled in, with a slash at the start. */
  readonly path: string;
  readonly node: FileNode;
}

/**
 * What a pattern like `/boot/vmlinuz-*` matches, in the order of its paths; wildcards may be in folders' names too. `*`
 * stands for any characters of one name but a dot at its start, `?` for one. Links that lead nowhere or in circles are
 * left out; directories are matches like files.
 * @throws FormatError what `walk` and the filesystem throw
 */
export async function glob(filesystem: Filesystem, pattern: string): Promise<readonly Match[]> {
  let paths: string[] = [''];
  for (const name of pattern.split('/').filter((part) => part !== '')) {
    if (!/[*?]/.test(name)) {
      paths = paths.map((path) => `${path}/${name}`);
      continue;
    }
    const further: string[] = [];
    for (const path of paths)
      for (const found of await listNames(filesystem, path, name)) further.push(`${path}/${found}`);
    paths = further;
  }
  const matches: Match[] = [];
  for (const path of paths) {
    const node = await reach(filesystem, path);
    if (node !== undefined) matches.push({ path, node });
  }
  return matches;
}

/**
 * The names of a directory that match a pattern as in `glob` (all, if none is given), sorted; none where there is no
 * such directory.
 * @throws FormatError what `walk` and the filesystem throw
 */
export async function listNames(filesystem: Filesystem, path: string, pattern = '*'): Promise<readonly string[]> {
  const directory = await reach(filesystem, path);
  if (directory?.kind !== 'directory') return [];
  const entries = await filesystem.list(directory);
  return entries
    .map((entry) => entry.name)
    .filter((name) => matches(pattern, name, filesystem.ignoresCase))
    .sort();
}

/** A link in circles leads nowhere, as one to a name that isn't there: nobody asked for it in particular. */
async function reach(filesystem: Filesystem, path: string): Promise<FileNode | undefined> {
  try {
    return await walk(filesystem, path);
  } catch (error) {
    if (error instanceof FormatError && error.kind === 'cycle') return undefined;
    throw error;
  }
}

/** Whether a name fits a pattern. Not by a RegExp: a pattern from an image may take one exponential time. */
export function matches(pattern: string, name: string, ignoresCase: boolean): boolean {
  if (ignoresCase) return matches(pattern.toLowerCase(), name.toLowerCase(), false);
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  let at = 0;
  let resumeName = 0;
  let star = -1;
  for (let from = 0; from < name.length; ) {
    if (pattern[at] === '*') {
      star = at++;
      resumeName = from;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[from])) {
      at++;
      from++;
    } else if (star >= 0) {
      // The last star takes one character more.
      at = star + 1;
      from = ++resumeName;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
