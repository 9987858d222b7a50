import type { BootChoice, BootEntry, BootFile } from '../boot-choice.ts';
import { type BootDisk, type FoundFile, folderOf, joinPath, nameOf } from '../boot-disk.ts';
import {
  type ExtlinuxConfiguration,
  type ExtlinuxLabel,
  includedBy,
  readExtlinux,
  type SourceLine,
} from './configuration.ts';

/** Where syslinux and its kin look for their configuration, in their order. */
export const EXTLINUX_FILES: readonly string[] = [
  '/boot/extlinux/extlinux.conf',
  '/extlinux/extlinux.conf',
  '/boot/syslinux/extlinux.conf',
  '/extlinux.conf',
  '/boot/syslinux/syslinux.cfg',
  '/syslinux/syslinux.cfg',
  '/syslinux.cfg',
];

/** Files in files. */
const INCLUDE_DEPTH = 8;
const LINE_LIMIT = 100_000;

/** What a configuration of syslinux or extlinux boots. */
export async function runExtlinux(disk: BootDisk, file: FoundFile): Promise<BootChoice> {
  const doubts: string[] = [];
  const configuration: BootFile[] = [];
  const lines: SourceLine[] = [];
  await readLines(disk, file, folderOf(file.path), 0, { lines, configuration, doubts });
  const conf = readExtlinux(lines);
  for (const { where, word } of conf.unknown) doubts.push(`${where}: '${word}' is not understood`);

  const entries: BootEntry[] = [];
  const places = new Map<ExtlinuxLabel, number>();
  for (const label of conf.labels) {
    disk.budget.takeSteps(1, 'label', 0);
    const entry = await entryOf(disk, file, conf, label, '', doubts);
    if (entry !== undefined) places.set(label, entries.push(entry) - 1);
  }
  const chosen = await choose(disk, file, conf, doubts);
  if (chosen === undefined) return { entries, preferred: undefined, configuration, doubts };
  const { label, extra } = chosen;
  if (extra === '') return { entries, preferred: places.get(label), configuration, doubts };
  const entry = await entryOf(disk, file, conf, label, extra, doubts);
  return { entries: entry ? [entry, ...entries] : entries, preferred: entry && 0, configuration, doubts };
}

interface Reading {
  readonly lines: SourceLine[];
  readonly configuration: BootFile[];
  readonly doubts: string[];
}

async function readLines(disk: BootDisk, file: FoundFile, folder: string, depth: number, into: Reading): Promise<void> {
  const opened = await disk.tryBootFile(file);
  const text = await disk.text(file);
  if (opened === undefined || text === undefined) return;
  if (!into.configuration.includes(opened)) into.configuration.push(opened);
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const where = `${nameOf(file)}:${index + 1}`;
    if (into.lines.length >= LINE_LIMIT) return;
    const included = includedBy(line);
    if (included === undefined) {
      into.lines.push({ text: line, where });
      continue;
    }
    const found = depth < INCLUDE_DEPTH ? await disk.findFile(file.on, pathOf(included, folder)) : undefined;
    if (found === undefined) into.doubts.push(`${where}: ${included} is not there, or files include each other`);
    else await readLines(disk, found, folder, depth + 1, into);
  }
}

/** Names are relative to the configuration's folder; `::` is the filesystem's root. */
function pathOf(name: string, folder: string): string {
  const path = name.replaceAll('\\', '/');
  return path.startsWith('::') ? joinPath('/', path.slice(2)) : joinPath(folder, path);
}

/** The label that starts when nobody touches a key; undefined, and a doubt, where that can't be told. */
async function choose(
  disk: BootDisk,
  file: FoundFile,
  conf: ExtlinuxConfiguration,
  doubts: string[],
): Promise<{ readonly label: ExtlinuxLabel; readonly extra: string } | undefined> {
  const [first = '', ...rest] = (conf.default ?? '').split(/\s+/);
  const named = (name: string | undefined): ExtlinuxLabel | undefined => conf.labels.find((each) => each.name === name);
  const menu = conf.ui ?? (named(first) === undefined && /\.c32$/i.test(first) ? first : undefined);
  const waits = (why: string): undefined => {
    doubts.push(`${nameOf(file)}: ${why}`);
    return undefined;
  };
  if (menu !== undefined && !/(?:^|[/\\])(?:vesa)?menu\.c32(?:\s|$)/i.test(menu))
    return waits(`its menu '${menu}' is not understood`);
  if (menu !== undefined || conf.prompt) {
    if ((conf.timeout ?? 0) === 0) return waits('without a timeout the menu waits for a person');
    if (conf.onTimeout !== undefined) {
      const label = named(conf.onTimeout.split(/\s+/)[0]);
      return label ? { label, extra: '' } : waits(`ONTIMEOUT ${conf.onTimeout} is no label`);
    }
  }
  if (menu !== undefined) {
    const marked = conf.labels.findLast((label) => label.isMenuDefault);
    const label = marked ?? named(conf.ui === undefined ? undefined : first) ?? conf.labels[0];
    return label ? { label, extra: '' } : waits('it has no label');
  }
  if (conf.default === undefined) return waits('neither DEFAULT nor UI says what starts');
  const label = named(first);
  if (label !== undefined) return { label, extra: rest.join(' ') };
  // DEFAULT may be a command line by itself.
  const bare: ExtlinuxLabel = {
    name: first,
    title: undefined,
    where: nameOf(file),
    start: { word: 'kernel', value: first },
    append: undefined,
    initrds: [],
    isMenuDefault: false,
  };
  if ((await disk.findFile(file.on, pathOf(first, folderOf(file.path)))) === undefined)
    return waits(`DEFAULT ${conf.default} is neither a label nor a kernel that is there`);
  return { label: bare, extra: rest.join(' ') };
}

async function entryOf(
  disk: BootDisk,
  file: FoundFile,
  conf: ExtlinuxConfiguration,
  label: ExtlinuxLabel,
  extra: string,
  doubts: string[],
): Promise<BootEntry | undefined> {
  const { start } = label;
  if (start === undefined || start.word === 'localboot' || start.word === 'config') {
    if (start?.word === 'config') doubts.push(`${label.where}: CONFIG ${start.value} is not followed`);
    return undefined;
  }
  const folder = folderOf(file.path);
  const found = await disk.findFile(file.on, pathOf(start.value, folder));
  const kernel = found && (await disk.tryBootFile(found));
  if (kernel === undefined) {
    doubts.push(`${label.where}: ${start.value} is not there`);
    return undefined;
  }
  const own = label.append === '-' ? '' : (label.append ?? conf.append ?? '');
  const words = [own, extra].filter((part) => part !== '').join(' ');
  const named = words.split(/\s+/).filter((word) => word.startsWith('initrd='));
  const names = [...named.flatMap((word) => word.slice('initrd='.length).split(',')), ...label.initrds];
  const initrds: BootFile[] = [];
  for (const name of names.filter((each) => each !== '')) {
    const place = await disk.findFile(file.on, pathOf(name, folder));
    const initrd = place && (await disk.tryBootFile(place));
    if (initrd === undefined) doubts.push(`${label.where}: the initrd ${name} is not there`);
    else initrds.push(initrd);
  }
  // The loader says which kernel it is, and hands on where the initrds were.
  const line = [
    `BOOT_IMAGE=${start.value}`,
    words,
    label.initrds.length > 0 ? `initrd=${label.initrds.join(',')}` : '',
  ];
  return {
    title: label.title ?? label.name,
    loader: 'extlinux',
    kernel,
    initrds,
    commandLine: line.filter((part) => part !== '').join(' '),
  };
}
