import type { BootChoice, BootEntry } from '../boot-choice.ts';
import type { FoundFile } from '../boot-disk.ts';
import { nameOf } from '../boot-disk.ts';
import { defaultEntry } from './default-entry.ts';
import { within } from './file-commands.ts';
import { runScript, runStatements } from './interpreter.ts';
import type { Load, Machine, MenuItem } from './machine.ts';
import { isUnknown } from './oracle.ts';

/** Menus in menus. */
const DEPTH_LIMIT = 8;

/** What one entry leads to. */
interface Result {
  readonly entries: readonly BootEntry[];
  readonly preferred: number | undefined;
  readonly doubts: readonly string[];
  /** Why nothing that this leads to is sure; undefined where all is. */
  readonly unsure: string | undefined;
}

/**
 * Runs a configuration as `normal` and `configfile` do: in a context of its own, then its menu. Undefined where it
 * neither has a menu nor boots: GRUB goes on with what comes after.
 */
export async function runConfiguration(
  machine: Machine,
  file: FoundFile,
  name: string,
): Promise<BootChoice | undefined> {
  const text = await machine.read(file);
  if (text === undefined) return undefined;
  if (machine.depth >= DEPTH_LIMIT) return nothing([`${nameOf(file)}: configurations call each other without end`]);
  const inner = machine.fork();
  inner.env = inner.env.inner();
  inner.depth++;
  inner.file = nameOf(file);
  await within(inner, inner.file, name, () => runScript(inner, text));
  return await outcome(inner, 0);
}

/** What comes of a script that has run: what it boots by itself, else its menu. */
async function outcome(machine: Machine, depth: number): Promise<BootChoice | undefined> {
  const end = machine.flow?.kind === 'end' ? machine.flow.end : undefined;
  const own = [...machine.problems, ...machine.notes];
  const unsure = machine.problems.length > 0;
  switch (end?.kind) {
    case 'menu':
      return {
        ...end.choice,
        preferred: unsure ? undefined : end.choice.preferred,
        doubts: [...own, ...end.choice.doubts],
      };
    case 'boot': {
      const booted = await entriesOf(machine, machine.load, {
        title: machine.file,
        loader: 'grub',
        where: machine.file,
      });
      return choiceOf(booted, own, unsure);
    }
    case 'left':
      return nothing([...own, `${end.where}: '${end.command}' leaves GRUB`]);
    case 'lost':
    case undefined:
      break;
  }
  if (machine.menu.length > 0) {
    machine.flow = undefined;
    const result = await runMenu(machine, machine.env.get('default') ?? '0', depth, false);
    return choiceOf(result, own, unsure);
  }
  return unsure ? nothing(own) : undefined;
}

function nothing(doubts: readonly string[]): BootChoice {
  return { entries: [], preferred: undefined, configuration: [], doubts };
}

function choiceOf(result: Result, doubts: readonly string[], unsure: boolean): BootChoice {
  const why = result.unsure === undefined ? [] : [result.unsure];
  return {
    entries: result.entries,
    preferred: unsure || result.unsure !== undefined ? undefined : result.preferred,
    configuration: [],
    doubts: [...new Set([...doubts, ...why, ...result.doubts])],
  };
}

/** All entries of a menu, and the one that it starts. */
async function runMenu(machine: Machine, value: string, depth: number, inSubmenu: boolean): Promise<Result> {
  const menu = machine.menu;
  const chosen = defaultEntry(menu, value);
  const results: Result[] = [];
  for (const [index, item] of menu.entries()) {
    // Each runs with a copy of all variables.
    if (!machine.step(0, 1 + Math.floor(machine.env.size / 16))) break;
    results.push(await runItem(machine, item, index === chosen.index ? chosen.rest : '', depth));
  }
  const entries = results.flatMap((result) => result.entries);
  const doubts = results.flatMap((result) => result.doubts);
  const unsure = (why: string): Result => ({ entries, preferred: undefined, doubts, unsure: why });
  if (chosen.doubt !== undefined) return unsure(`${machine.file}: ${chosen.doubt}`);
  // A submenu that is entered by itself starts its entry at once.
  const waits = inSubmenu ? undefined : whyItWaits(machine);
  if (waits !== undefined) return unsure(waits);
  const tried = [chosen.index ?? 0, ...fallbacks(machine, menu)];
  for (const index of tried) {
    const item = menu[index];
    const result = results[index];
    if (item === undefined || result === undefined) continue;
    if (result.unsure !== undefined) return unsure(result.unsure);
    if (asksPassword(machine, item)) return unsure(`${item.where}: '${item.title}' asks for a password`);
    if (result.preferred === undefined) {
      if (result.entries.length > 0) return unsure(`${item.where}: what '${item.title}' starts can't be told`);
      continue;
    }
    const before = results.slice(0, index).reduce((sum, each) => sum + each.entries.length, 0);
    return { entries, preferred: before + result.preferred, doubts, unsure: undefined };
  }
  const title = menu[chosen.index ?? 0]?.title ?? '';
  return unsure(
    `${machine.file}: the default entry '${title}' boots nothing that is there, and GRUB waits for a person`,
  );
}

/** GRUB boots by itself only after a timeout. */
function whyItWaits(machine: Machine): string | undefined {
  const timeout = machine.env.get('timeout');
  if (timeout === undefined || timeout === '') return `${machine.file}: without a timeout the menu waits for a person`;
  if (isUnknown(timeout)) return `${machine.file}: whether the menu waits for a person can't be told`;
  return timeout.trim().startsWith('-')
    ? `${machine.file}: the menu waits for a person (timeout=${timeout})`
    : undefined;
}

function asksPassword(machine: Machine, item: MenuItem): boolean {
  return !item.unrestricted && (machine.env.get('superusers') ?? '') !== '';
}

/** The entries that `fallback` names by number, tried one after another. */
function fallbacks(machine: Machine, menu: readonly MenuItem[]): readonly number[] {
  const words = (machine.env.get('fallback') ?? '').split(/\s+/).filter((word) => word !== '');
  return words
    .map((word) =>
      /^[0-9]+$/.test(word) ? Number(word) : menu.findIndex((item) => [item.title, item.id].includes(word)),
    )
    .filter((index) => index >= 0 && index < menu.length);
}

async function runItem(machine: Machine, item: MenuItem, rest: string, depth: number): Promise<Result> {
  const inner = machine.fork();
  inner.file = item.file;
  inner.parameters = item.parameters;
  inner.env.set('chosen', item.title);
  inner.env.export('chosen');
  if (item.submenu) {
    inner.env = inner.env.inner();
    inner.env.unset('default');
  }
  await runStatements(inner, item.body);
  const doubts = [...inner.problems, ...inner.notes];
  const unsure = inner.problems[0];
  const end = inner.flow?.kind === 'end' ? inner.flow.end : undefined;
  if (end?.kind === 'menu') {
    const { entries, preferred } = end.choice;
    return { entries, preferred, doubts: [...doubts, ...end.choice.doubts], unsure };
  }
  if (end?.kind === 'left') return { entries: [], preferred: undefined, doubts, unsure };
  if (item.submenu && end?.kind !== 'boot') {
    if (depth >= DEPTH_LIMIT)
      return { entries: [], preferred: undefined, doubts, unsure: `${item.where}: too many menus in menus` };
    if (inner.menu.length === 0) return { entries: [], preferred: undefined, doubts, unsure };
    inner.flow = undefined;
    const result = await runMenu(inner, rest === '' ? '0' : rest, depth + 1, true);
    return { ...result, doubts: [...doubts, ...result.doubts], unsure: unsure ?? result.unsure };
  }
  const loaded = await entriesOf(inner, inner.load, item);
  return { ...loaded, doubts: [...doubts, ...loaded.doubts], unsure: unsure ?? loaded.unsure };
}

/** What was loaded, as entries: one for a kernel, those of another loader for that. */
async function entriesOf(
  machine: Machine,
  load: Load | undefined,
  { title, loader, where }: Pick<MenuItem, 'title' | 'loader' | 'where'>,
): Promise<Result> {
  const none: Result = { entries: [], preferred: undefined, doubts: [], unsure: undefined };
  if (load === undefined) return none;
  const { disk, host } = machine.shared;
  if (load.kind === 'linux') {
    const kernel = load.kernel.found && (await disk.tryBootFile(load.kernel.found));
    if (kernel === undefined) return none;
    const initrds = [];
    for (const { found } of load.initrds) {
      const file = found && (await disk.tryBootFile(found));
      if (file !== undefined) initrds.push(file);
    }
    return { ...none, entries: [{ title, loader, kernel, initrds, commandLine: load.commandLine }], preferred: 0 };
  }
  const { found } = load.file;
  if (load.kind === 'chain' && found !== undefined) {
    const choice = await host.chain(found, load.args);
    if (choice !== undefined) return { ...none, ...choice };
  }
  const { sector } = load;
  const kernel =
    found !== undefined
      ? await disk.tryBootFile(found)
      : sector?.volume.partition && disk.rawFile(`${sector.title} boot sector`, sector.volume.partition.source);
  if (kernel === undefined) return { ...none, unsure: `${where}: '${load.command} ${load.file.name}' is not followed` };
  return { ...none, entries: [{ title, loader, kernel, initrds: [], commandLine: undefined }], preferred: 0 };
}
