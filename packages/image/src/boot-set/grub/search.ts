import type { BootVolume } from '../boot-disk.ts';
import { volumeOf } from './device.ts';
import type { Machine } from './machine.ts';
import { type OptionRow, parseOptions } from './options.ts';
import type { Status } from './test-expression.ts';

export type SearchKind = 'file' | 'label' | 'fs-uuid' | 'part-uuid';

const OPTIONS: Readonly<Record<string, OptionRow>> = {
  file: { short: 'f', value: 'none' },
  label: { short: 'l', value: 'none' },
  'fs-uuid': { short: 'u', value: 'none' },
  'part-uuid': { short: 'p', value: 'none' },
  set: { short: 's', value: 'optional' },
  'no-floppy': { short: 'n', value: 'none' },
  'root-dev-only': { short: 'r', value: 'none' },
  'efidisk-only': { value: 'none' },
  'cryptodisk-only': { value: 'none' },
  hint: { short: 'h', value: 'required' },
  'hint-ieee1275': { value: 'required' },
  'hint-bios': { value: 'required' },
  'hint-baremetal': { value: 'required' },
  'hint-efi': { value: 'required' },
  'hint-arc': { value: 'required' },
};

/** `search [--file|--label|--fs-uuid] [--set[=VAR]] NAME`. */
export async function search(machine: Machine, args: readonly string[]): Promise<Status> {
  const { options, rest, unknown } = parseOptions(args, OPTIONS);
  if (unknown !== undefined) return false;
  const kind = (['label', 'fs-uuid', 'part-uuid'] as const).find((each) => options.has(each)) ?? 'file';
  const set = options.get('set')?.at(-1);
  let variable = options.has('set') ? (set ?? 'root') : undefined;
  let name = rest[0];
  // `--set NAME` at the end: the name was taken for the variable's.
  if (name === undefined && set !== undefined) {
    name = set;
    variable = 'root';
  }
  if (name === undefined || options.has('cryptodisk-only')) return false;
  const hints = [...options].filter(([option]) => option.startsWith('hint')).flatMap(([, values]) => values);
  return await searchFor(machine, kind, name, variable, hints.concat(rest.slice(1)));
}

/** Finds the volume; devices that are hinted at come first, then all in their order. */
export async function searchFor(
  machine: Machine,
  kind: SearchKind,
  name: string,
  variable: string | undefined,
  hints: readonly (string | undefined)[],
): Promise<Status> {
  const { disk } = machine.shared;
  const found: BootVolume[] = [];
  for (const volume of disk.volumes) if (await isIt(machine, volume, kind, name)) found.push(volume);
  const hinted = hints
    .map((hint) => (hint === undefined ? undefined : volumeOf(disk, hint.replace(/[+,]+$/, ''))))
    .find((volume) => volume !== undefined && found.includes(volume));
  // Several that answer: the order of devices is the firmware's.
  const question = `which of the filesystems that '${name}' names GRUB finds first`;
  const volume = hinted ?? (found.length > 1 ? found[machine.shared.oracle.choose(question, found.length)] : found[0]);
  if (volume === undefined) return false;
  if (variable !== undefined) machine.env.set(variable, volume.device);
  return true;
}

async function isIt(machine: Machine, on: BootVolume, kind: SearchKind, name: string): Promise<boolean> {
  const { filesystem, partition } = on.volume;
  switch (kind) {
    case 'file':
      return (await machine.shared.disk.find(on, name)) !== undefined;
    case 'label':
      return filesystem.label === name;
    case 'fs-uuid':
      return filesystem.uuid !== '' && filesystem.uuid.toLowerCase() === name.toLowerCase();
    case 'part-uuid':
      return partition !== undefined && partition.uuid.toLowerCase() === name.toLowerCase();
  }
}
