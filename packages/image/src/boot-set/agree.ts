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
  const configuration: BootFile[] = [];
  const doubts: string[] = [];
  const chosen: (number | undefined)[] = [];
  for (const { choice } of ways) {
    const places = choice.entries.map((entry) => placeOf(entries, entry));
    chosen.push(choice.preferred === undefined ? undefined : places[choice.preferred]);
    for (const file of choice.configuration) if (!configuration.includes(file)) configuration.push(file);
    for (const doubt of choice.doubts) if (!doubts.includes(doubt)) doubts.push(doubt);
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

/** Ways named in a doubt: a line, not a list. */
const SHOWN = 4;

/** Where an entry is in the list; it is added where no other starts the same. */
function placeOf(entries: BootEntry[], entry: BootEntry): number {
  const found = entries.findIndex((other) => startsTheSame(other, entry));
  return found >= 0 ? found : entries.push(entry) - 1;
}

/** Same files, same words. Files are the same object where they are the same file (BootDisk.bootFile). */
export function startsTheSame(a: BootEntry, b: BootEntry): boolean {
  return (
    a.kernel === b.kernel &&
    a.commandLine === b.commandLine &&
    a.initrds.length === b.initrds.length &&
    a.initrds.every((file, index) => file === b.initrds[index])
  );
}

function describe(choice: BootChoice): string {
  const entry = choice.preferred === undefined ? undefined : choice.entries[choice.preferred];
  if (entry === undefined) return choice.entries.length === 0 ? 'nothing' : "can't be told";
  return entry.commandLine === undefined ? entry.kernel.name : `${entry.kernel.name} with '${entry.commandLine}'`;
}
