import { compareEntries } from '../bls/boot-count.ts';
import type { BootChoice, BootFile } from '../boot-choice.ts';
import { type BootDisk, type BootVolume, type FoundFile, nameOf } from '../boot-disk.ts';
import { fileEntries, type MenuEntry, unifiedEntries } from './entries.ts';
import { type LoaderConf, readLoaderConf } from './loader-conf.ts';
import { fits } from './pattern.ts';

/** The partition type of an extended boot loader partition (UAPI.1), and its byte in an MBR. */
const XBOOTLDR: ReadonlySet<string> = new Set(['bc13c2ff-59e6-4262-a352-b275fd6f7172', '0xea']);

const NO_CONF: LoaderConf = { default: undefined, waits: false, other: [] };

/**
 * What systemd-boot boots from an ESP: entries of files and unified kernels there and on the extended boot loader
 * partition, in the order of its menu, and the default of `loader.conf`. Its EFI variables, in which a person may
 * have chosen otherwise, are the machine's, not the image's: a start without them is told.
 */
export async function runSystemdBoot(disk: BootDisk, esp: BootVolume): Promise<BootChoice> {
  const doubts: string[] = [];
  const unsure: string[] = [];
  const configuration: BootFile[] = [];
  const read = async (file: FoundFile): Promise<string | undefined> => {
    const opened = await disk.tryBootFile(file);
    if (opened !== undefined && !configuration.includes(opened)) configuration.push(opened);
    return await disk.text(file);
  };
  const confFile = await disk.findFile(esp, '/loader/loader.conf');
  const confText = confFile && (await read(confFile));
  const conf = confText === undefined ? NO_CONF : readLoaderConf(confText);
  const confName = confFile === undefined ? `${esp.title} /loader/loader.conf` : nameOf(confFile);
  for (const { line, key } of conf.other) doubts.push(`${confName}:${line}: '${key}' is not understood`);

  const entries: MenuEntry[] = [];
  for (const on of [esp, ...disk.volumes.filter((volume) => isExtended(volume, esp))]) {
    entries.push(...(await fileEntries(disk, on, doubts, read)));
    entries.push(...(await unifiedEntries(disk, on, 'systemd-boot', unsure)));
  }
  entries.sort(compareEntries);

  const preferred = await defaultOf(disk, esp, entries, conf, confName, unsure);
  if (conf.waits) unsure.push(`${confName}: the menu waits for a person (timeout menu-force)`);
  return {
    entries: entries.map((entry) => entry.start),
    preferred: unsure.length > 0 ? undefined : preferred,
    configuration,
    doubts: [...unsure, ...doubts],
  };
}

function isExtended(volume: BootVolume, esp: BootVolume): boolean {
  const type = volume.volume.partition?.type;
  return volume !== esp && type !== undefined && XBOOTLDR.has(type);
}

async function defaultOf(
  disk: BootDisk,
  esp: BootVolume,
  entries: readonly MenuEntry[],
  conf: LoaderConf,
  confName: string,
  unsure: string[],
): Promise<number | undefined> {
  const pattern = conf.default;
  if (pattern?.startsWith('@') === true) {
    unsure.push(`${confName}: 'default ${pattern}' is kept in the machine's EFI variables`);
    return undefined;
  }
  const first = entries.length > 0 ? 0 : undefined;
  if (entries.length === 0) unsure.push(`${esp.title}: systemd-boot finds no entry that can be started`);
  if (pattern === undefined) return first;
  const full = entries.findIndex((entry) => fits(pattern, entry.id));
  // Before version 243 names had no ending.
  const short = entries.findIndex((entry) => fits(pattern, entry.id.replace(/\.(?:conf|efi)$/i, '')));
  if (full >= 0) return full;
  if (short >= 0) {
    unsure.push(`${confName}: whether 'default ${pattern}' names an entry depends on systemd-boot's version`);
    return undefined;
  }
  // Entries that it makes by itself: of Windows, macOS, a shell.
  if (pattern.startsWith('auto-') || (await disk.find(esp, '/EFI/Microsoft/Boot/bootmgfw.efi')) !== undefined) {
    if (fits(pattern, 'auto-windows') || pattern.startsWith('auto-')) {
      unsure.push(`${confName}: 'default ${pattern}' is no Linux of this disk`);
      return undefined;
    }
  }
  return first;
}
