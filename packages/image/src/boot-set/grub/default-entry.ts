import type { MenuItem } from './machine.ts';
import { isUnknown } from './oracle.ts';

/** Which entry a menu starts with. */
export interface Default {
  /** Undefined where it can't be told; `doubt` says why then. */
  readonly index: number | undefined;
  /** What is left for the menu of the entry, where that is a submenu; empty: its first. */
  readonly rest: string;
  readonly doubt: string | undefined;
}

/**
 * The entry that `default` names: by its number from 0, its title or its `id`, and after a `>` the same for the
 * submenu (`>>` is a `>` of a title). What names no entry is the first.
 */
export function defaultEntry(menu: readonly MenuItem[], value: string): Default {
  if (isUnknown(value)) return { index: undefined, rest: '', doubt: "what 'default' is can't be told" };
  const { head, rest } = splitPath(value);
  const named = menu.findIndex((item) => head !== '' && (item.title === head || item.id === head));
  const number = /^\s*(0x[0-9a-f]+|[0-9]+)(.*)$/is.exec(head);
  if (number === null) return { index: Math.max(0, named), rest, doubt: undefined };
  const [, digits = '', tail = ''] = number;
  const value0 = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  const numbered = value0 < menu.length ? value0 : 0;
  if (tail.trim() === '') return { index: numbered, rest, doubt: undefined };
  // A name that begins with digits: older GRUBs take it for the number. Those that have blscfg don't.
  const index = Math.max(0, named);
  if (index === numbered || menu[index]?.loader === 'bls') return { index, rest, doubt: undefined };
  return { index: undefined, rest, doubt: `'default' is '${head}', which older GRUBs take for a number` };
}

/** Up to the first `>` that is not doubled. */
function splitPath(value: string): { readonly head: string; readonly rest: string } {
  let head = '';
  for (let at = 0; at < value.length; at++) {
    if (value[at] === '>') {
      if (value[at + 1] !== '>') return { head, rest: value.slice(at + 1) };
      at++;
    }
    head += value[at] ?? '';
  }
  return { head, rest: '' };
}
