import { agree, type Way } from '../agree.ts';
import type { BootChoice, BootEntry, BootFile } from '../boot-choice.ts';
import { type BootDisk, type BootVolume, type FoundFile, folderOf, nameOf } from '../boot-disk.ts';
import { unifiedEntries, unifiedEntry } from '../systemd-boot/entries.ts';
import { runSystemdBoot } from '../systemd-boot/run-systemd-boot.ts';
import { readBootCsv } from './boot-csv.ts';
import { type EfiProgram, identify } from './program.ts';
import { runGrubProgram } from './run-grub-program.ts';

/** Loaders that start loaders: shim, GRUB, systemd-boot, a kernel. */
const DEPTH_LIMIT = 6;
/** Folders below /EFI, and programs in one, that are looked at. */
const FOLDER_LIMIT = 100;
const PROGRAM_LIMIT = 100;
const CSV_LIMIT = 2 ** 16;

/** What a start by UEFI firmware may boot; undefined where no volume has anything that it could start. */
export async function startByUefi(disk: BootDisk): Promise<BootChoice | undefined> {
  const uefi = new Uefi(disk);
  const ways: Way[] = [];
  for (const esp of disk.volumes.filter((volume) => volume.volume.filesystem.ignoresCase))
    ways.push(...(await uefi.waysOf(esp)));
  if (ways.length === 0) return undefined;
  const alive = ways.filter(({ choice }) => choice.entries.length > 0);
  const dead = ways.filter(({ choice }) => choice.entries.length === 0);
  const choice = agree(
    alive.length > 0 ? alive : ways,
    'which program the firmware starts (its boot entries are the machine’s)',
  );
  return { ...choice, doubts: [...choice.doubts, ...dead.flatMap((way) => way.choice.doubts)] };
}

class Uefi {
  readonly #disk: BootDisk;
  readonly #known = new Map<BootFile, BootChoice | undefined>();

  constructor(disk: BootDisk) {
    this.#disk = disk;
  }

  /**
   * The programs that firmware may start from a volume: the one for removable media, and those that installers make
   * boot entries for. Where there is no loader at all, the unified kernels.
   */
  async waysOf(esp: BootVolume): Promise<readonly Way[]> {
    const disk = this.#disk;
    const files: FoundFile[] = [];
    const removable = await disk.findFile(esp, '/EFI/BOOT/BOOTX64.EFI');
    if (removable !== undefined) files.push(removable);
    for (const folder of (await disk.list(esp, '/EFI')).slice(0, FOLDER_LIMIT))
      if (folder.toLowerCase() !== 'boot' && folder.toLowerCase() !== 'linux')
        files.push(...(await this.#loadersIn(esp, `/EFI/${folder}`)));
    const windows = await disk.findFile(esp, '/EFI/Microsoft/Boot/bootmgfw.efi');
    if (windows !== undefined) files.push(windows);
    const ways: Way[] = [];
    for (const file of files) {
      const choice = await this.choiceOf(file, 0);
      if (choice !== undefined) ways.push({ by: nameOf(file), choice });
    }
    if (ways.some(({ choice }) => choice.entries.length > 0)) return ways;
    const doubts: string[] = [];
    const unified = await unifiedEntries(disk, esp, 'uki', doubts);
    return [
      ...ways,
      ...unified.map(({ start }) => ({
        by: start.kernel.name,
        choice: { entries: [start], preferred: doubts.length === 0 ? 0 : undefined, configuration: [], doubts },
      })),
    ];
  }

  /** Loaders of a vendor's folder: shim where it is, which starts the other. */
  async #loadersIn(esp: BootVolume, folder: string): Promise<readonly FoundFile[]> {
    const loaders: FoundFile[] = [];
    let shim = false;
    for (const name of (await this.#disk.list(esp, folder, '*.efi')).slice(0, PROGRAM_LIMIT)) {
      const file = await this.#disk.findFile(esp, `${folder}/${name}`);
      const program = file && (await this.#identify(file));
      if (file === undefined || program === undefined) continue;
      if (program.kind === 'shim') shim = true;
      if (program.kind === 'shim' || program.kind === 'systemd-boot' || (program.kind === 'grub' && !shim))
        loaders.push(file);
    }
    if (!shim) return loaders;
    const kept: FoundFile[] = [];
    for (const file of loaders) if ((await this.#identify(file))?.kind !== 'grub') kept.push(file);
    return kept;
  }

  /** What a program leads to; undefined where it starts nothing, or isn't for this processor. */
  async choiceOf(file: FoundFile, depth: number): Promise<BootChoice | undefined> {
    const opened = await this.#disk.tryBootFile(file);
    if (opened === undefined) return undefined;
    if (depth > DEPTH_LIMIT) return nothing([`${nameOf(file)}: loaders start each other without end`]);
    if (!this.#known.has(opened)) {
      // While it is looked into: what leads back to it leads nowhere.
      this.#known.set(opened, nothing([`${nameOf(file)} starts itself`]));
      this.#known.set(opened, await this.#resolve(file, opened, depth));
    }
    return this.#known.get(opened);
  }

  async #resolve(file: FoundFile, opened: BootFile, depth: number): Promise<BootChoice | undefined> {
    const program = await this.#identify(file);
    if (program === undefined) return nothing([`${nameOf(file)} can't be read`]);
    switch (program.kind) {
      case 'grub':
        return await runGrubProgram(this.#disk, file, program.image, (target, args) =>
          this.#chained(target, args, depth + 1),
        );
      case 'shim':
        return await this.#shim(file, depth);
      case 'fallback':
        return await this.#fallback(file, depth);
      case 'systemd-boot':
        return await runSystemdBoot(this.#disk, file.on);
      case 'uki': {
        const doubts: string[] = [];
        const entry = await unifiedEntry(this.#disk, file, 'uki', doubts);
        return entry && one(entry.start, doubts);
      }
      case 'kernel':
      case 'other':
        // A kernel gets no words here; what else it is, is for who opens it to say.
        return one(
          {
            title: nameOf(file),
            loader: program.kind === 'kernel' ? 'direct' : 'none-found',
            kernel: opened,
            initrds: [],
            commandLine: undefined,
          },
          [],
        );
      case 'key-manager':
      case 'foreign':
      case 'none':
        return nothing([`${nameOf(file)} is ${WHAT[program.kind]}`]);
    }
  }

  /** Shim starts GRUB of its folder; from the removable media's folder, its helper comes first. */
  async #shim(file: FoundFile, depth: number): Promise<BootChoice | undefined> {
    const folder = folderOf(file.path);
    const helper = /^\/EFI\/BOOT$/i.test(folder)
      ? await this.#disk.findFile(file.on, `${folder}/fbx64.efi`)
      : undefined;
    if (helper !== undefined) {
      const choice = await this.choiceOf(helper, depth + 1);
      if (choice !== undefined && choice.entries.length > 0) return choice;
    }
    const next = await this.#disk.findFile(file.on, `${folder}/grubx64.efi`);
    return next === undefined
      ? nothing([`${nameOf(file)}: shim finds no grubx64.efi in its folder`])
      : await this.choiceOf(next, depth + 1);
  }

  /** Shim's helper: the first line of each folder's BOOTX64.CSV is what its new boot entry starts. */
  async #fallback(file: FoundFile, depth: number): Promise<BootChoice> {
    const ways: Way[] = [];
    for (const vendor of (await this.#disk.list(file.on, '/EFI')).slice(0, FOLDER_LIMIT)) {
      const folder = `/EFI/${vendor}`;
      const csv =
        vendor.toLowerCase() === 'boot' ? undefined : await this.#disk.findFile(file.on, `${folder}/BOOTX64.CSV`);
      const opened = csv && (await this.#disk.tryBootFile(csv));
      const bytes =
        opened &&
        (await this.#disk.attempt(opened.name, () => opened.source.read(0, Math.min(opened.source.size, CSV_LIMIT))));
      const [line] = bytes === undefined ? [] : readBootCsv(bytes);
      if (csv === undefined || line === undefined) continue;
      const target = await this.#disk.findFile(file.on, `${folder}/${line.file}`);
      const program = target && (await this.#identify(target));
      // Shim takes the program that it is to start from its options.
      const named =
        program?.kind === 'shim' && /\.efi$/i.test(line.options) ? line.options.replaceAll('\\', '/') : undefined;
      const second = named === undefined ? target : await this.#disk.findFile(file.on, named);
      const choice = second && (await this.choiceOf(second, depth + 1));
      if (choice !== undefined) ways.push({ by: nameOf(csv), choice });
    }
    return agree(ways, `${nameOf(file)}: which of the systems it starts first`);
  }

  /** What `chainloader` starts: with words of its own, a kernel takes them for its command line. */
  async #chained(file: FoundFile, args: readonly string[], depth: number): Promise<BootChoice | undefined> {
    const choice = await this.choiceOf(file, depth);
    const program = await this.#identify(file);
    if (choice === undefined || args.length === 0 || (program?.kind !== 'uki' && program?.kind !== 'kernel'))
      return choice;
    return { ...choice, entries: choice.entries.map((entry) => ({ ...entry, commandLine: args.join(' ') })) };
  }

  async #identify(file: FoundFile): Promise<EfiProgram | undefined> {
    const opened = await this.#disk.tryBootFile(file);
    const name = file.path.slice(file.path.lastIndexOf('/') + 1);
    return opened && (await this.#disk.attempt(nameOf(file), () => identify(opened.source, name, this.#disk.budget)));
  }
}

const WHAT = {
  'key-manager': "shim's key manager: it starts nothing",
  foreign: 'for another processor',
  none: 'no EFI program',
} as const;

function nothing(doubts: readonly string[]): BootChoice {
  return { entries: [], preferred: undefined, configuration: [], doubts };
}

/** @param unsure what stands in the way of taking it for sure */
function one(entry: BootEntry, unsure: readonly string[]): BootChoice {
  return { entries: [entry], preferred: unsure.length === 0 ? 0 : undefined, configuration: [], doubts: unsure };
}
