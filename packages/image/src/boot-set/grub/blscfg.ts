import { type BlsEntry, readBlsEntry } from '../bls/entry.ts';
import { compareAsPackages } from '../bls/rpm-order.ts';
import type { BootVolume, FoundFile } from '../boot-disk.ts';
import { nameOf } from '../boot-disk.ts';
import { type Call, untold } from './command.ts';
import type { Machine } from './machine.ts';
import { parseScript } from './parse.ts';
import type { Status } from './test-expression.ts';

interface Candidate {
  /** The file's name without its ending: what `saved_entry` names. */
  readonly id: string;
  readonly file: FoundFile;
  readonly entry: BlsEntry;
}

/** Entries in one folder. */
const ENTRY_LIMIT = 500;

/**
 * `blscfg` of the GRUB of Fedora, RHEL and their kin: fills the menu from `/loader/entries` of the volume that is
 * `root` (older ones: `boot`), else from `/boot/loader/entries`; the newest comes first.
 */
export async function blscfg(machine: Machine, args: readonly string[], call: Call): Promise<Status> {
  if (args.length > 0) {
    machine.problem(call.line, `'${[call.name, ...args].join(' ')}' is not followed: only without arguments`);
    return untold(call.name, args);
  }
  const on = whichVolume(machine);
  if (on === undefined) {
    machine.problem(call.line, `'${call.name}' reads a volume that is not on this disk`);
    return true;
  }
  await warnOfUnified(machine, call);
  const candidates: Candidate[] = [];
  const files = await entryFiles(machine, on);
  // Each is compared with the others.
  if (files.length > ENTRY_LIMIT || !machine.step(call.line, Math.ceil(files.length ** 2 / 20))) {
    machine.problem(call.line, `${files.length} entries in one folder`);
    return true;
  }
  for (const file of files) {
    const text = await machine.read(file);
    if (text === undefined) continue;
    const id = file.path.slice(file.path.lastIndexOf('/') + 1, -'.conf'.length);
    // Of those that compare as the same the first that is read stays; directories have no order that can be told.
    const same = candidates.some((other) => compareAsPackages(other.id, id) === 0);
    if (same) machine.problem(call.line, `${nameOf(file)} has the same version as another entry`);
    else candidates.push({ id, file, entry: readBlsEntry(text, 'at-blank') });
  }
  candidates.sort((a, b) => compareAsPackages(b.id, a.id));
  for (const candidate of candidates) add(machine, candidate);
  return true;
}

/** Releases differ in which variable they take. */
function whichVolume(machine: Machine): BootVolume | undefined {
  const { oracle } = machine.shared;
  const named = ['root', 'boot'].map((name) => machine.volume(machine.env.get(name) ?? ''));
  const volumes = [...new Set(named.filter((volume) => volume !== undefined))];
  const which = volumes.length > 1 ? oracle.choose('whether blscfg reads $root or $boot, which differ', 2) : 0;
  return volumes[which];
}

async function entryFiles(machine: Machine, on: BootVolume): Promise<readonly FoundFile[]> {
  const { disk } = machine.shared;
  const folders = [machine.env.get('blsdir') ?? '/loader/entries', '/boot/loader/entries'];
  for (const folder of folders) {
    if ((await disk.find(on, folder))?.node.kind !== 'directory') continue;
    const files: FoundFile[] = [];
    for (const name of await disk.list(on, folder, '*.conf')) {
      const file = await disk.findFile(on, `${folder}/${name}`);
      if (file !== undefined && !name.startsWith('.')) files.push(file);
    }
    return files;
  }
  return [];
}

/** Newer ones list unified kernels of the ESP as well, among the others. */
async function warnOfUnified(machine: Machine, call: Call): Promise<void> {
  const { disk } = machine.shared;
  for (const volume of disk.volumes)
    if (volume.volume.filesystem.ignoresCase && (await disk.list(volume, '/EFI/Linux', '*.efi')).length > 0)
      machine.problem(call.line, `some GRUBs list the unified kernels of ${volume.title} /EFI/Linux here as well`);
}

function add(machine: Machine, { id, file, entry }: Candidate): void {
  const linux = entry.value('linux');
  if (linux === undefined) {
    machine.note(1, `${nameOf(file)} names no kernel: it is left out`);
    return;
  }
  const options =
    expand(machine, entry.value('options')) ?? expand(machine, machine.env.get('default_kernelopts')) ?? '';
  const initrds = entry.values('initrd');
  const folder = (initrds[0] ?? linux).replace(/[^/]*$/, '');
  const early = (machine.env.get('early_initrd') ?? '').split(' ').filter((name) => name !== '');
  const all = [...early.map((name) => folder + name), ...initrds].map((name) => `($root)${name}`);
  const text = `linux ($root)${linux} ${options}\n${all.length > 0 ? `initrd ${all.join(' ')}\n` : ''}`;
  const script = parseScript(text);
  const before = machine.file;
  machine.file = nameOf(file);
  for (const { line, message } of script.problems) machine.problem(line, `not understood: ${message}`);
  machine.file = before;
  const title = entry.value('title') ?? linux;
  machine.menu.push({
    title,
    id,
    where: nameOf(file),
    submenu: false,
    body: script.statements,
    file: nameOf(file),
    parameters: [title],
    unrestricted: (expand(machine, entry.value('grub_users')) ?? '') === '',
    loader: 'bls',
  });
}

/** `$name` in an entry's value: the variable's value and a blank; nothing where it isn't set. */
function expand(machine: Machine, value: string | undefined): string | undefined {
  return value?.replaceAll(/\$([A-Za-z0-9_]+) ?/g, (_, name: string) => {
    const set = machine.env.get(name);
    return set === undefined || set === '' ? '' : `${set} `;
  });
}
