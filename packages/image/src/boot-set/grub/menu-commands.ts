import { blscfg } from './blscfg.ts';
import type { Call, Command } from './command.ts';
import type { Machine } from './machine.ts';
import { type OptionRow, parseOptions } from './options.ts';
import type { Status } from './test-expression.ts';

/** Entries; more are no menu. */
const ENTRY_LIMIT = 2000;

const OPTIONS: Readonly<Record<string, OptionRow>> = {
  class: { value: 'required' },
  users: { value: 'required' },
  hotkey: { value: 'required' },
  source: { value: 'required' },
  id: { value: 'required' },
  unrestricted: { value: 'none' },
};

/** Commands that add to the menu. */
export const MENU: Readonly<Record<string, Command>> = {
  menuentry: (machine, args, call) => add(machine, args, call, false),
  submenu: (machine, args, call) => add(machine, args, call, true),
  blscfg,
  bls_import: blscfg,
};

function add(machine: Machine, args: readonly string[], call: Call, submenu: boolean): Status {
  const { options, rest, unknown } = parseOptions(args, OPTIONS);
  const [title] = rest;
  if (title === undefined || unknown !== undefined) {
    machine.note(call.line, `'${call.name}' is not well formed: GRUB leaves it out`);
    return false;
  }
  if (call.block === undefined) {
    machine.problem(call.line, `'${call.name}' without a block is not followed`);
    return true;
  }
  if (machine.menu.length >= ENTRY_LIMIT) {
    machine.problem(call.line, `more than ${ENTRY_LIMIT} entries`);
    machine.end({ kind: 'lost' });
    return false;
  }
  machine.menu.push({
    title,
    id: options.get('id')?.at(-1),
    where: `${machine.file}:${call.line}`,
    submenu,
    body: call.block,
    file: machine.file,
    parameters: rest,
    unrestricted: options.has('unrestricted'),
    loader: 'grub',
  });
  return true;
}
