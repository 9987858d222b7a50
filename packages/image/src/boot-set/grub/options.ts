/** What follows an option: nothing, a word, or a word only where it doesn't look like an option. */
export type OptionValue = 'none' | 'required' | 'optional';

export interface OptionRow {
  readonly short?: string;
  readonly value: OptionValue;
}

export interface ParsedOptions {
  /** By long name; the values given, `undefined` for none. */
  readonly options: ReadonlyMap<string, readonly (string | undefined)[]>;
  readonly rest: readonly string[];
  /** An option that the command doesn't have: it fails then. */
  readonly unknown: string | undefined;
}

/** Options and arguments of a command, in any order, as GRUB's own parser takes them. */
export function parseOptions(args: readonly string[], rows: Readonly<Record<string, OptionRow>>): ParsedOptions {
  const options = new Map<string, (string | undefined)[]>();
  const rest: string[] = [];
  let unknown: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg === '--') {
      rest.push(...args.slice(at + 1));
      break;
    }
    if (!arg.startsWith('-') || arg.length < 2) {
      rest.push(arg);
      continue;
    }
    const { name, value: attached, row } = lookUp(arg, rows);
    if (row === undefined) {
      unknown ??= arg;
      continue;
    }
    let value = attached;
    const next = args[at + 1];
    if (value === undefined && row.value !== 'none' && next !== undefined)
      if (row.value === 'required' || next.length < 2 || !next.startsWith('-')) {
        value = next;
        at++;
      }
    options.set(name, [...(options.get(name) ?? []), value]);
  }
  return { options, rest, unknown };
}

function lookUp(
  arg: string,
  rows: Readonly<Record<string, OptionRow>>,
): { readonly name: string; readonly value: string | undefined; readonly row: OptionRow | undefined } {
  if (!arg.startsWith('--')) {
    const found = Object.entries(rows).find(([, row]) => row.short === arg.slice(1));
    return { name: found?.[0] ?? '', value: undefined, row: found?.[1] };
  }
  const equals = arg.indexOf('=');
  const name = arg.slice(2, equals < 0 ? undefined : equals);
  return {
    name,
    value: equals < 0 ? undefined : arg.slice(equals + 1),
    row: Object.hasOwn(rows, name) ? rows[name] : undefined,
  };
}
