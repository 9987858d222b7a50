import { nameOf } from '../boot-disk.ts';
import { type Call, type Command, untold } from './command.ts';
import { readEnvBlock } from './env-block.ts';
import type { Machine } from './machine.ts';
import { parseOptions } from './options.ts';
import { isUnknown } from './oracle.ts';
import type { Status } from './test-expression.ts';

/** Commands that read files: environment blocks and further configurations. */
export const FILES: Readonly<Record<string, Command>> = {
  load_env: loadEnv,
  // What is saved counts for the next start, not for this one.
  save_env: () => true,
  source,
  '.': source,
  configfile: (machine, args, call) => configure(machine, args[0], call),
  normal: (machine, args, call) => configure(machine, args[0] ?? `${machine.env.get('prefix') ?? ''}/grub.cfg`, call),
  normal_exit: () => true,
  ...Object.fromEntries(
    [
      'legacy_configfile',
      'legacy_source',
      'syslinux_configfile',
      'syslinux_source',
      'extract_entries_configfile',
      'extract_entries_source',
      'extract_legacy_entries_configfile',
      'extract_syslinux_entries_configfile',
      'extract_syslinux_entries_source',
    ].map((name) => [name, otherLanguage]),
  ),
};

/** `load_env [-f FILE] [--skip-sig] [NAME…]`: all variables of the block, or those named. */
async function loadEnv(machine: Machine, args: readonly string[], { line }: Call): Promise<Status> {
  const { options, rest, unknown } = parseOptions(args, {
    file: { short: 'f', value: 'required' },
    'skip-sig': { short: 's', value: 'none' },
  });
  if (unknown !== undefined) return false;
  const name = options.get('file')?.at(-1) ?? `${machine.env.get('prefix') ?? ''}/grubenv`;
  // A name without a device or a slash is one beside the others of GRUB's.
  const full = name.startsWith('(') || name.startsWith('/') ? name : `${machine.env.get('prefix') ?? ''}/${name}`;
  const { found } = await machine.findFile(full);
  if (found === undefined) return false;
  const text = await machine.read(found);
  const variables = text === undefined ? undefined : readEnvBlock(text);
  if (variables === undefined) {
    machine.note(line, `${nameOf(found)} is no environment block`);
    return false;
  }
  for (const [key, value] of variables) if (rest.length === 0 || rest.includes(key)) machine.env.set(key, value);
  return true;
}

/** Runs another script in its place. */
async function source(machine: Machine, args: readonly string[], call: Call): Promise<Status> {
  const [name] = args;
  if (name === undefined) return false;
  if (isUnknown(name)) return lost(machine, call);
  const { found } = await machine.findFile(name);
  const text = found && (await machine.read(found));
  // GRUB calls it a success whatever comes of it.
  if (found === undefined || text === undefined) return true;
  await within(machine, nameOf(found), name, async () => call.run(machine, text));
  return true;
}

/** `config_file` and `config_directory` name the script that runs, while it does. */
export async function within(machine: Machine, file: string, name: string, run: () => Promise<void>): Promise<void> {
  const before = machine.file;
  const saved = ['config_file', 'config_directory'].map((each) => [each, machine.env.get(each)] as const);
  machine.file = file;
  machine.env.set('config_file', name);
  machine.env.set('config_directory', name.slice(0, Math.max(0, name.lastIndexOf('/'))));
  for (const [each] of saved) machine.env.export(each);
  await run();
  machine.file = before;
  for (const [each, value] of saved)
    if (value === undefined) machine.env.unset(each);
    else machine.env.set(each, value);
}

/** Another configuration and its menu: where it has one, GRUB doesn't come back by itself. */
async function configure(machine: Machine, name: string | undefined, call: Call): Promise<Status> {
  if (name === undefined) return false;
  if (isUnknown(name)) return lost(machine, call);
  const { found } = await machine.findFile(name);
  if (found === undefined) {
    machine.note(call.line, `${name} is not there`);
    return false;
  }
  const choice = await machine.shared.host.configure(machine, found, name);
  if (choice !== undefined) machine.end({ kind: 'menu', choice });
  return true;
}

function lost(machine: Machine, { line, name }: Call): Status {
  machine.problem(line, `what '${name}' reads can't be told`);
  return untold(name, []);
}

function otherLanguage(machine: Machine, args: readonly string[], { line, name }: Call): Status {
  machine.problem(line, `'${name}' reads the configuration of another loader, which is not followed from GRUB`);
  return untold(name, args);
}
