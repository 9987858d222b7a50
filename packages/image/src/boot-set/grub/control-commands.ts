import { type Command, untold } from './command.ts';
import type { Machine } from './machine.ts';
import { isUnknown, UNKNOWN } from './oracle.ts';
import { search, searchFor } from './search.ts';
import { type Status, testExpression } from './test-expression.ts';

/** Variables, tests, loops, functions, and looking for volumes. */
export const CONTROL: Readonly<Record<string, Command>> = {
  set: (machine, args) => {
    const [assignment = ''] = args;
    const equals = assignment.indexOf('=');
    if (equals > 0) machine.env.set(assignment.slice(0, equals), assignment.slice(equals + 1));
    return args.length === 0 || equals > 0;
  },
  unset: (machine, args) => {
    for (const name of args) machine.env.unset(name);
    return true;
  },
  export: (machine, args) => {
    for (const name of args) machine.env.export(name);
    return true;
  },
  true: () => true,
  false: () => false,
  echo: () => true,
  test: (machine, args) => test(machine, args),
  '[': (machine, args, { name }) => (args.at(-1) === ']' ? test(machine, args.slice(0, -1)) : untold(name, args)),

  break: (machine, args) => leave(machine, 'break', args),
  continue: (machine, args) => leave(machine, 'continue', args),
  return: (machine, args) => {
    const [code] = args;
    // Outside of functions and entries it does nothing.
    if (machine.parameters === undefined) return false;
    machine.flow = { kind: 'return' };
    if (code === undefined) return machine.status;
    return isUnknown(code) ? untold('return', args) : Number(code) === 0;
  },
  shift: (machine, args) => {
    if (machine.parameters === undefined) return false;
    machine.parameters = machine.parameters.slice(Number(args[0] ?? 1) || 0);
    return true;
  },
  setparams: (machine, args) => {
    if (machine.parameters === undefined) return false;
    machine.parameters = args;
    return true;
  },
  eval: async (machine, args, { run }) => {
    await run(machine, args.join(' '));
    return machine.status;
  },

  increment: (machine, args) => count(machine, args, 1),
  decrement: (machine, args) => count(machine, args, -1),

  search,
  'search.file': (machine, args) => searchBy(machine, 'file', args),
  'search.fs_label': (machine, args) => searchBy(machine, 'label', args),
  'search.fs_uuid': (machine, args) => searchBy(machine, 'fs-uuid', args),
  probe: (machine, args) => probe(machine, args),

  // Only those who are asked for a password: entries say whether they are.
  password: () => true,
  password_pbkdf2: () => true,
};

async function test(machine: Machine, words: readonly string[]): Promise<Status> {
  return await testExpression(words, async (operator, path) => {
    const found = await machine.find(path);
    switch (operator) {
      case '-e':
        return found !== undefined;
      case '-d':
        return found?.node.kind === 'directory';
      case '-f':
        return found !== undefined && found.node.kind !== 'directory';
      case '-s':
        return found !== undefined && found.node.size > 0;
    }
  });
}

function leave(machine: Machine, kind: 'break' | 'continue', args: readonly string[]): Status {
  if (machine.loops === 0) return false;
  machine.flow = { kind, levels: Math.min(machine.loops, Math.max(1, Number(args[0] ?? 1) || 1)) };
  return true;
}

function count(machine: Machine, [name]: readonly string[], by: number): Status {
  const value = name === undefined ? undefined : machine.env.get(name);
  if (name === undefined || value === undefined) return false;
  if (isUnknown(value)) return true;
  if (!/^\s*[-+]?[0-9]+/.test(value)) return false;
  machine.env.set(name, String(Number.parseInt(value, 10) + by));
  return true;
}

/** `search.fs_uuid NAME [VAR [HINT…]]`. */
async function searchBy(
  machine: Machine,
  kind: 'file' | 'label' | 'fs-uuid',
  [name, variable = 'root', ...hints]: readonly string[],
): Promise<Status> {
  return name === undefined ? false : await searchFor(machine, kind, name, variable, hints);
}

const PROBED: Readonly<Record<string, 'fs-uuid' | 'label' | 'fs' | 'part-uuid'>> = {
  '--fs-uuid': 'fs-uuid',
  '-u': 'fs-uuid',
  '--label': 'label',
  '-l': 'label',
  '--fs': 'fs',
  '-f': 'fs',
  '--part-uuid': 'part-uuid',
};

/** `probe --set=VAR --fs-uuid DEVICE`, and the like. */
function probe(machine: Machine, args: readonly string[]): Status {
  const at = args.findIndex((arg) => arg === '-s' || arg === '--set' || arg.startsWith('--set='));
  const option = args[at];
  if (option === undefined) return untold('probe', args);
  const attached = option.startsWith('--set=');
  const variable = attached ? option.slice('--set='.length) : args[at + 1];
  const rest = args.filter((_, index) => index !== at && (attached || index !== at + 1));
  const kind = rest.map((arg) => PROBED[arg]).find((each) => each !== undefined);
  const device = rest.find((arg) => !arg.startsWith('-'));
  if (variable === undefined || device === undefined) return false;
  const { disk } = machine.shared;
  const on = disk.volumes.find((volume) => device === `(${volume.device})` || device === volume.device);
  const { filesystem, partition } = on?.volume ?? {};
  const value =
    kind === 'fs-uuid'
      ? filesystem?.uuid
      : kind === 'label'
        ? filesystem?.label
        : kind === 'part-uuid'
          ? partition?.uuid
          : undefined;
  machine.env.set(variable, value ?? UNKNOWN);
  return value === undefined ? untold('probe', args) : true;
}
