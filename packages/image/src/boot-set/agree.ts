import type { BootChoice, BootEntry, BootFile } from './boot-choice.ts';

/** What one of several ways to start would boot. */
export interface Way {
  /** What leads to it: `UEFI: partition 1 (FAT32) /EFI/BOOT/BOOTX64.EFI`. */
  readonly by: string;
  readonly choice: BootChoice;
}

/**
 * What a start boots that may go any of these ways: where all of them end in the same kernel with the same initrds
 * and the same command line that is it, else every entry counts.
 * @param which says what isn't known, for the doubt: `which of these the firmware starts`
 */
export function agree(ways: readonly Way[], which: string): BootChoice {
  const entries: BootEntry[] = [];
  const places = new Map<string, number>();
  const configuration: BootFile[] = [];
  const doubts: string[] = [];
  const chosen: (number | undefined)[] = [];
  for (const { choice } of ways) {
    const found = choice.entries.map((entry) => placeOf(entries, places, entry));
    chosen.push(choice.preferred === undefined ? undefined : found[choice.preferred]);
    for (const file of choice.configuration) if (!configuration.includes(file)) configuration.push(file);
    for (const doubt of choice.doubts) if (doubts.length < DOUBTS && !doubts.includes(doubt)) doubts.push(doubt);
  }
  const [first] = chosen;
  const alike = chosen.every((each) => each === first);
  if (!alike)
    doubts.push(
      `${which} can't be told, and they differ: ${ways
        .map(({ by, choice }) => `${by}: ${describe(choice)}`)
        .slice(0, SHOWN)
        .join('; ')}${ways.length > SHOWN ? `; and ${ways.length - SHOWN} more` : ''}`,
    );
  return { entries, preferred: alike ? first : undefined, configuration, doubts };
}

/** Lines of doubt; more say nothing more. */
const DOUBTS = 200;
/** Ways named in a doubt: a line, not a list. */
const SHOWN = 4;

/** Where an entry is in the list; it is added where no other starts the same. */
function placeOf(entries: BootEntry[], places: Map<string, number>, entry: BootEntry): number {
  const key = keyOf(entry);
  const place = places.get(key) ?? entries.push(entry) - 1;
  places.set(key, place);
  return place;
}

const numbers = new WeakMap<BootFile, number>();
let files = 0;

/** Same files, same words. Files are the same object where they are the same file (BootDisk.bootFile). */
function keyOf({ kernel, initrds, commandLine }: BootEntry): string {
  const ids = [kernel, ...initrds].map((file) => {
    const id = numbers.get(file) ?? ++files;
    numbers.set(file, id);
    return id;
  });
  return `${ids.join(' ')}:${commandLine === undefined ? '' : `=${commandLine}`}`;
}

function describe(choice: BootChoice): string {
  const entry = choice.preferred === undefined ? undefined : choice.entries[choice.preferred];
  if (entry === undefined) return choice.entries.length === 0 ? 'nothing' : "can't be told";
  return entry.commandLine === undefined ? entry.kernel.name : `${entry.kernel.name} with '${entry.commandLine}'`;
}
