import { agree } from '../agree.ts';
import type { BootChoice } from '../boot-choice.ts';
import { type BootDisk, type BootVolume, type FoundFile, nameOf } from '../boot-disk.ts';
import { runScript } from './interpreter.ts';
import { type Host, Machine, type Shared } from './machine.ts';
import { runConfiguration } from './menu.ts';
import { everyWorld } from './oracle.ts';
import type { Script } from './syntax.ts';

/** Combinations of what can't be told that are run; generated configurations ask five questions at most. */
const WORLD_LIMIT = 128;

/** What a GRUB program begins with. */
export interface GrubStart {
  readonly platform: 'bios' | 'uefi';
  /** The device that it was started from, or that its prefix is on. */
  readonly root: string;
  /** `(hd0,gpt1)/EFI/debian`: where `grub.cfg` and modules are. */
  readonly prefix: string;
  /** `(hd0,gpt1)/EFI/BOOT`: where the program is; empty for BIOS. */
  readonly commandPath: string;
  /** A script in the program itself, which runs first. */
  readonly embedded: string | undefined;
  /** A filesystem in the program itself. */
  readonly memdisk: BootVolume | undefined;
  /** Who says so: the program's name. */
  readonly name: string;
}

/** Abilities that every GRUB since 2.02 states. */
const FEATURES = [
  'feature_200_final',
  'feature_all_video_module',
  'feature_chainloader_bpb',
  'feature_default_font_path',
  'feature_menuentry_id',
  'feature_menuentry_options',
  'feature_nativedisk_cmd',
  'feature_ntldr',
  'feature_platform_search_hint',
  'feature_timeout_style',
];

/** What this GRUB boots: its configuration is run, under every answer to what nothing on the disk tells. */
export async function runGrub(disk: BootDisk, start: GrubStart, chain: Host['chain']): Promise<BootChoice> {
  const { spent } = disk;
  const read: FoundFile[] = [];
  const parsed = new Map<string, Script>();
  const { results, questions, complete } = await everyWorld(WORLD_LIMIT, (oracle) =>
    runOnce(
      {
        disk,
        platform: start.platform,
        oracle,
        host: { configure: runConfiguration, chain },
        spent,
        read,
        parsed,
        memdisk: start.memdisk,
      },
      start,
    ),
  );
  const which = `${start.name}: ${questions.slice(0, 4).join(', ')}`;
  const choice = agree(
    results.map((result) => ({ by: 'it may be', choice: result })),
    which,
  );
  const configuration = [...choice.configuration];
  for (const file of read) {
    const opened = await disk.tryBootFile(file);
    if (opened !== undefined && !configuration.includes(opened)) configuration.push(opened);
  }
  return {
    ...choice,
    configuration,
    preferred: complete ? choice.preferred : undefined,
    doubts: complete ? choice.doubts : [...choice.doubts, `${start.name}: it depends on too much that can't be told`],
  };
}

async function runOnce(shared: Shared, start: GrubStart): Promise<BootChoice> {
  const machine = new Machine(shared);
  const variables: Readonly<Record<string, string>> = {
    root: start.root,
    prefix: start.prefix,
    cmdpath: start.commandPath,
    grub_cpu: start.platform === 'uefi' ? 'x86_64' : 'i386',
    grub_platform: start.platform === 'uefi' ? 'efi' : 'pc',
    ...Object.fromEntries(FEATURES.map((name) => [name, 'y'])),
  };
  for (const [name, value] of Object.entries(variables)) {
    machine.env.set(name, value);
    machine.env.export(name);
  }
  machine.file = start.name;
  if (start.embedded !== undefined) {
    await runScript(machine, start.embedded);
    const ended = machine.flow?.kind === 'end' ? machine.flow.end : undefined;
    if (ended?.kind === 'menu')
      return machine.problems.length > 0
        ? { ...ended.choice, preferred: undefined, doubts: [...machine.problems, ...ended.choice.doubts] }
        : ended.choice;
    if (ended !== undefined || machine.problems.length > 0)
      return empty([...machine.problems, `${start.name}: its own script ends before any menu`]);
  }
  const name = `${machine.env.get('prefix') ?? ''}/grub.cfg`;
  const { found } = await machine.findFile(name);
  if (found === undefined) return empty([`${start.name}: its configuration ${name} is not there`]);
  const choice = await runConfiguration(machine, found, name);
  return choice ?? empty([`${nameOf(found)}: it has no entry`]);
}

function empty(doubts: readonly string[]): BootChoice {
  return { entries: [], preferred: undefined, configuration: [], doubts };
}
