import { openFilesystem } from '../../filesystem/open-filesystem.ts';
import { FormatError } from '../../format-error.ts';
import { agree, type Way } from '../agree.ts';
import type { BootChoice, BootFile } from '../boot-choice.ts';
import { type BootDisk, type BootVolume, type FoundFile, folderOf, nameOf } from '../boot-disk.ts';
import { volumeOf } from '../grub/device.ts';
import type { Host } from '../grub/machine.ts';
import { type GrubStart, runGrub } from '../grub/run-grub.ts';
import type { GrubImage } from './grub-image.ts';

/**
 * What a GRUB program for EFI boots. It reads grub.cfg where its prefix is; that of Fedora and its kin looks into its
 * own folder before, and scripts in signed programs (Debian's, Ubuntu's) choose between these as well. Such a script
 * lies in a memory disk, which is a squashfs in newer ones, not read here: every place that it may choose counts then.
 */
export async function runGrubProgram(
  disk: BootDisk,
  file: FoundFile,
  image: GrubImage,
  chain: Host['chain'],
): Promise<BootChoice> {
  const own = `(${file.on.device})${folderOf(file.path)}`;
  const stated = statedPrefix(disk, file, image);
  const memdisk = await memoryDisk(disk, file, image);
  const start: Omit<GrubStart, 'prefix'> = {
    platform: 'uefi',
    root: file.on.device,
    commandPath: own,
    embedded: image.script,
    memdisk,
    name: nameOf(file),
  };
  const unread = image.script?.includes('(memdisk)') === true && memdisk === undefined;
  if (image.script !== undefined && !unread) return await runGrub(disk, { ...start, prefix: stated ?? own }, chain);
  if (stated?.startsWith('(memdisk)') === true)
    return nothing([`${nameOf(file)}: its configuration lies in itself, in a form that is not read`]);

  const ways: Way[] = [];
  const read = new Set<BootFile>();
  for (const prefix of [stated, own]) {
    if (prefix === undefined) continue;
    const opened = await configurationAt(disk, prefix);
    if (opened === undefined || read.has(opened)) continue;
    read.add(opened);
    ways.push({ by: opened.name, choice: await runGrub(disk, { ...start, embedded: undefined, prefix }, chain) });
  }
  return ways.length === 0
    ? nothing([`${nameOf(file)}: GRUB finds no grub.cfg, neither in ${stated ?? 'its prefix'} nor in ${own}`])
    : agree(ways, `${nameOf(file)}: which grub.cfg this GRUB takes`);
}

/** As GRUB would write it: `/EFI/debian` is on the volume that the program is on, `(,gpt2)` on the same disk. */
function statedPrefix(disk: BootDisk, file: FoundFile, { prefix }: GrubImage): string | undefined {
  if (prefix === undefined || prefix === '') return undefined;
  if (!prefix.startsWith('(')) return `(${file.on.device})${prefix}`;
  const [, device = '', path = ''] = /^\(([^)]*)\)(.*)$/s.exec(prefix) ?? [];
  return `(${volumeOf(disk, device)?.device ?? device})${path}`;
}

async function configurationAt(disk: BootDisk, prefix: string): Promise<BootFile | undefined> {
  const [, device = '', path = ''] = /^\(([^)]*)\)(.*)$/s.exec(prefix) ?? [];
  const on = volumeOf(disk, device);
  const found = on && (await disk.findFile(on, `${path}/grub.cfg`));
  return found && (await disk.tryBootFile(found));
}

async function memoryDisk(disk: BootDisk, file: FoundFile, { memdisk }: GrubImage): Promise<BootVolume | undefined> {
  if (memdisk === undefined) return undefined;
  try {
    return disk.memoryVolume(nameOf(file), await openFilesystem(memdisk, disk.budget));
  } catch (error) {
    // One that is no filesystem of ours is missed only where something of it is asked for.
    if (!(error instanceof FormatError) || error.kind === 'over-budget' || error.kind === 'unreadable') throw error;
    return undefined;
  }
}

function nothing(doubts: readonly string[]): BootChoice {
  return { entries: [], preferred: undefined, configuration: [], doubts };
}
