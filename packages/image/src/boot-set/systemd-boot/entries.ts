import { readCountedName, type SortKeys } from '../bls/boot-count.ts';
import { type BlsEntry, readBlsEntry } from '../bls/entry.ts';
import type { BootEntry } from '../boot-choice.ts';
import { type BootDisk, type BootVolume, type FoundFile, nameOf } from '../boot-disk.ts';
import { type PeFile, readPe, readSection } from '../efi/pe-sections.ts';
import { readOsRelease } from './os-release.ts';

/** An entry of systemd-boot's menu. */
export interface MenuEntry extends SortKeys {
  readonly start: BootEntry;
}

/** Entries of one folder; more are no menu. */
const ENTRY_LIMIT = 2000;
/** Bytes of an os-release text. */
const OS_RELEASE_LIMIT = 2 ** 16;

/** Type 1: files of `/loader/entries`; those whose kernel isn't there are left out, as systemd-boot does. */
export async function fileEntries(
  disk: BootDisk,
  on: BootVolume,
  doubts: string[],
  read: (file: FoundFile) => Promise<string | undefined>,
): Promise<readonly MenuEntry[]> {
  const entries: MenuEntry[] = [];
  for (const name of (await disk.list(on, '/loader/entries', '*.conf')).slice(0, ENTRY_LIMIT)) {
    const file = await disk.findFile(on, `/loader/entries/${name}`);
    const text = file && (await read(file));
    if (file === undefined || text === undefined) continue;
    const entry = readBlsEntry(text, 'at-end');
    const start = await startOf(disk, on, file, entry, doubts);
    if (start === undefined) continue;
    entries.push({
      ...readCountedName(name),
      sortKey: entry.value('sort-key'),
      machineId: entry.value('machine-id') ?? '',
      version: entry.value('version') ?? '',
      start,
    });
  }
  return entries;
}

async function startOf(
  disk: BootDisk,
  on: BootVolume,
  file: FoundFile,
  entry: BlsEntry,
  doubts: string[],
): Promise<BootEntry | undefined> {
  const architecture = entry.value('architecture')?.toLowerCase();
  if (architecture !== undefined && architecture !== 'x64') return undefined;
  // What comes twice counts as it stands last.
  const path = (entry.values('linux').at(-1) ?? entry.values('uki').at(-1) ?? entry.values('efi').at(-1))?.replaceAll(
    '\\',
    '/',
  );
  if (path === undefined) {
    doubts.push(`${nameOf(file)} names nothing to start`);
    return undefined;
  }
  const found = await disk.findFile(on, path);
  const kernel = found && (await disk.tryBootFile(found));
  if (kernel === undefined) {
    doubts.push(`${nameOf(file)}: ${path} is not there`);
    return undefined;
  }
  const initrds = [];
  for (const name of entry.values('initrd')) {
    const place = await disk.findFile(on, name.replaceAll('\\', '/'));
    const initrd = place && (await disk.tryBootFile(place));
    if (initrd === undefined) doubts.push(`${nameOf(file)}: the initrd ${name} is not there`);
    else initrds.push(initrd);
  }
  const options = entry.values('options').join(' ');
  return {
    title: entry.value('title') ?? file.path.slice(file.path.lastIndexOf('/') + 1),
    loader: 'systemd-boot',
    kernel,
    initrds,
    // A unified kernel brings its own where the entry has none.
    commandLine: options === '' && entry.value('linux') === undefined ? undefined : options,
  };
}

/** Type 2: unified kernels in `/EFI/Linux`. */
export async function unifiedEntries(
  disk: BootDisk,
  on: BootVolume,
  loader: 'systemd-boot' | 'uki',
  doubts: string[],
): Promise<readonly MenuEntry[]> {
  const entries: MenuEntry[] = [];
  for (const name of (await disk.list(on, '/EFI/Linux', '*.efi')).slice(0, ENTRY_LIMIT)) {
    const file = await disk.findFile(on, `/EFI/Linux/${name}`);
    const entry = file && (await unifiedEntry(disk, file, loader, doubts));
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** A unified kernel as an entry; undefined where the file is none. */
export async function unifiedEntry(
  disk: BootDisk,
  file: FoundFile,
  loader: 'systemd-boot' | 'uki',
  doubts: string[],
): Promise<MenuEntry | undefined> {
  const kernel = await disk.tryBootFile(file);
  if (kernel === undefined) return undefined;
  const pe = await disk.attempt(nameOf(file), () => readPe(kernel.source));
  if (pe === undefined || !pe.sections.some((section) => section.name === '.linux')) return undefined;
  const name = file.path.slice(file.path.lastIndexOf('/') + 1);
  const release = await releaseOf(disk, file, kernel.source, pe);
  const addons = [
    ...(await disk.list(file.on, '/loader/addons', '*.addon.efi')),
    ...(await disk.list(file.on, `${file.path}.extra.d`, '*.addon.efi')),
  ];
  if (addons.length > 0)
    doubts.push(`${nameOf(file)}: its command line goes on in ${addons.join(', ')}, not read here`);
  if (pe.sections.some((section) => section.name === '.profile'))
    doubts.push(`${nameOf(file)} has several profiles: only the first is listed`);
  return {
    ...readCountedName(name),
    sortKey: release.get('IMAGE_ID') ?? release.get('ID'),
    machineId: '',
    version:
      release.get('IMAGE_VERSION') ??
      release.get('VERSION') ??
      release.get('VERSION_ID') ??
      release.get('BUILD_ID') ??
      '',
    start: { title: release.get('PRETTY_NAME') ?? name, loader, kernel, initrds: [], commandLine: undefined },
  };
}

async function releaseOf(
  disk: BootDisk,
  file: FoundFile,
  source: Parameters<typeof readSection>[0],
  pe: PeFile,
): Promise<ReadonlyMap<string, string>> {
  const bytes = await disk.attempt(nameOf(file), () => readSection(source, pe, '.osrel', OS_RELEASE_LIMIT));
  return readOsRelease(Buffer.from(bytes ?? []).toString('utf8'));
}
