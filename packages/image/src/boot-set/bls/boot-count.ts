import { compareText } from './rpm-order.ts';
import { compareVersions } from './version-order.ts';

/** An entry's file name without its boot counter (`name+LEFT-DONE.conf`), and the counter. */
export interface CountedName {
  /** With its ending: `debian-6.12.conf`. */
  readonly id: string;
  /** Starts that are left; undefined where none are counted. */
  readonly left: number | undefined;
  readonly done: number;
}

/** Reads the counter of an entry's file name (UAPI.1, "Boot counting"). */
export function readCountedName(name: string): CountedName {
  const match = /^(.*)\+([0-9]{1,9})(?:-([0-9]{1,9}))?(\.(?:conf|efi))$/is.exec(name);
  if (match === null) return { id: name, left: undefined, done: 0 };
  const [, stem = '', left = '0', done = '0', ending = ''] = match;
  return { id: stem + ending, left: Number(left), done: Number(done) };
}

/** What entries are ordered by. */
export interface SortKeys extends CountedName {
  readonly sortKey: string | undefined;
  readonly machineId: string;
  readonly version: string;
}

/**
 * The order of a menu (UAPI.1, "Sorting"): entries that have no starts left come last, those with a sort key before
 * those without, by it and the machine and downwards by version, then downwards by name.
 */
export function compareEntries(a: SortKeys, b: SortKeys): number {
  const spent = Number(a.left === 0) - Number(b.left === 0);
  if (spent !== 0) return spent;
  const keyed = Number(a.sortKey === undefined) - Number(b.sortKey === undefined);
  if (keyed !== 0) return keyed;
  if (a.sortKey !== undefined && b.sortKey !== undefined) {
    const order =
      compareText(a.sortKey, b.sortKey) ||
      compareText(a.machineId, b.machineId) ||
      compareVersions(b.version, a.version);
    if (order !== 0) return order;
  }
  const named = compareVersions(b.id, a.id);
  if (named !== 0 || a.left === undefined || b.left === undefined) return named;
  return b.left - a.left || a.done - b.done;
}
