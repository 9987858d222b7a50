import type { Volume } from '../filesystem/volume.ts';
import type { Budget } from '../source/budget.ts';
import { agree, type Way } from './agree.ts';
import { startByBios } from './bios/start-bios.ts';
import type { BootChoice } from './boot-choice.ts';
import { BootDisk } from './boot-disk.ts';
import { startByUefi } from './efi/start-uefi.ts';
import { knownKernels } from './known-kernels.ts';

export interface ChooseBootOptions {
  /** What starts the machine; either unless told: then both count, where the disk has something for them. */
  readonly firmware?: 'bios' | 'uefi' | 'either';
}

/**
 * What a start of a disk boots, by the configuration of its loaders. Nothing is guessed: where the disk doesn't tell,
 * every entry counts and `doubts` say why. Where no loader is understood, every kernel in the places that
 * distributions use is an entry.
 * @param volumes the disk's filesystems, in the order of its partitions
 * @throws FormatError over-budget; unreadable where the medium fails
 */
export async function chooseBoot(
  volumes: readonly Volume[],
  budget: Budget,
  options: ChooseBootOptions = {},
): Promise<BootChoice> {
  const { firmware = 'either' } = options;
  const disk = new BootDisk(volumes, budget);
  const ways: Way[] = [];
  if (firmware !== 'bios') {
    const choice = await startByUefi(disk);
    if (choice !== undefined) ways.push({ by: 'UEFI', choice });
  }
  if (firmware !== 'uefi') {
    const choice = await startByBios(disk);
    if (choice !== undefined) ways.push({ by: 'BIOS', choice });
  }
  const alive = ways.filter(({ choice }) => choice.entries.length > 0);
  const dead = ways.filter(({ choice }) => choice.entries.length === 0).flatMap(({ choice }) => choice.doubts);
  if (alive.length === 0) return await withoutLoader(disk, dead);
  const choice = agree(alive, 'whether BIOS or UEFI starts it');
  const doubts = [...new Set([...choice.doubts, ...dead])];
  if (disk.obstacles.length === 0) return { ...choice, doubts };
  // What could not be read may have been what decides.
  return { ...choice, preferred: undefined, doubts: [...disk.obstacles, ...doubts] };
}

async function withoutLoader(disk: BootDisk, dead: readonly string[]): Promise<BootChoice> {
  const entries = await knownKernels(disk);
  const why =
    entries.length === 0
      ? 'no loader configuration and no kernel was found'
      : 'no loader configuration was understood: every kernel in the usual places counts';
  return { entries, preferred: undefined, configuration: [], doubts: [why, ...disk.obstacles, ...new Set(dead)] };
}
