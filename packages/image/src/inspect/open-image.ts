import { basename } from 'node:path';
import type { ImageLayers } from '@unpin/contract';
import type { BootChoice } from '../boot-set/boot-choice.ts';
import { chooseBoot } from '../boot-set/choose-boot.ts';
import { ByteReader } from '../byte-reader.ts';
import type { BackingResolver } from '../disk/backing.ts';
import type { Disk } from '../disk/disk.ts';
import { FORMAT_TITLES } from '../disk/disk-format.ts';
import { openDisk } from '../disk/open-disk.ts';
import { type GivenFolder, openDiskFolder } from '../disk/open-disk-folder.ts';
import { FormatError } from '../format-error.ts';
import { hasSetupHeader } from '../kernel/bz-image.ts';
import { isElf } from '../kernel/elf.ts';
import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import type { SpillLimits } from '../source/spill-file.ts';
import { openVolumes } from './open-volumes.ts';

/** An image opened as far as what it offers to start. */
export interface OpenedImage {
  readonly layers: ImageLayers;
  readonly choice: BootChoice;
  /** Volumes in which there may be more to start, and which can't be read. */
  readonly unread: readonly FormatError[];
  /** What ended the opening before there was a choice. */
  readonly problem: FormatError | undefined;
  /** What a person should know of how it was read, one line each. */
  readonly notes: readonly string[];
  /** Lets go of temporary files. */
  close(): void;
}

export interface OpenImageOptions {
  /** What the file is taken for; what it looks like unless said. */
  readonly as?: 'auto' | 'kernel' | 'disk';
  /** Files that may stand behind the image; it finds nothing else. */
  readonly backing?: readonly ByteSource[];
  /** Of a kernel that is given as a file. */
  readonly initrd?: ByteSource;
  readonly commandLine?: string;
  /** It starts with UEFI firmware, which then looks for the loader; else BIOS may as well. */
  readonly withFirmware: boolean;
  readonly budget: Budget;
  readonly spill?: SpillLimits;
  readonly at: (what: string) => void;
}

/** Up to the end of a bzImage's setup header. */
const HEAD = 0x270;
const NOTHING: BootChoice = { entries: [], preferred: undefined, configuration: [], doubts: [] };

/** Opens an image's layers; what is wrong with one of them is in the answer. */
export async function openImage(source: ByteSource | GivenFolder, options: OpenImageOptions): Promise<OpenedImage> {
  const as = options.as ?? 'auto';
  const layers: ImageLayers = { container: 'unknown', bytes: 'size' in source ? source.size : 0, volumes: [] };
  const none = { choice: NOTHING, unread: [], notes: [], close: () => undefined };
  let disk: Disk | undefined;
  try {
    if ('read' in source && (as === 'kernel' || (as === 'auto' && (await isKernel(source)))))
      return kernelImage(source, options);
    const diskOptions = {
      budget: options.budget,
      backing: givenBacking(options.backing ?? []),
      ...(options.spill === undefined ? {} : { spill: options.spill }),
    };
    disk = await ('read' in source ? openDisk(source, diskOptions) : openDiskFolder(source, diskOptions));
    return await diskImage(disk, layers, options);
  } catch (error) {
    disk?.close();
    if (!(error instanceof FormatError)) throw error;
    return { ...none, layers, problem: error };
  }
}

/** A bzImage, an ELF file, or a PE file, which a UKI is. A disk with a boot sector is none of them. */
async function isKernel(source: ByteSource): Promise<boolean> {
  const head = new ByteReader(await source.read(0, Math.min(HEAD, source.size)));
  if (isElf(head) || hasSetupHeader(head)) return true;
  return head.has(0, 2) && head.u16(0, 'MZ magic') === 0x5a4d;
}

function kernelImage(source: ByteSource, { initrd, commandLine }: OpenImageOptions): OpenedImage {
  const entry = {
    title: basename(source.name),
    loader: 'direct' as const,
    kernel: { name: source.name, source },
    initrds: initrd === undefined ? [] : [{ name: initrd.name, source: initrd }],
    commandLine,
  };
  return {
    layers: { container: 'kernel', bytes: source.size, volumes: [] },
    choice: { ...NOTHING, entries: [entry], preferred: 0 },
    unread: [],
    problem: undefined,
    notes: [],
    close: () => undefined,
  };
}

async function diskImage(
  disk: Disk,
  outer: ImageLayers,
  { budget, withFirmware, at }: OpenImageOptions,
): Promise<OpenedImage> {
  at('reading partitions and filesystems');
  const container = [...disk.wrappings.map((each) => FORMAT_TITLES[each]), FORMAT_TITLES[disk.format]].join(', ');
  const { table, volumes, unread, described } = await openVolumes(disk.source, budget);
  if (isNothing(disk, table.kind, unread))
    throw new FormatError('not-a-kernel', disk.source.name, 0, 'neither a kernel nor a disk: no format is recognised');
  const layers = {
    ...outer,
    container,
    diskBytes: disk.source.size,
    partitions: table.kind,
    volumes: [...described],
  };
  const notes = [...disk.notes, ...table.notes];
  // Nothing at all was recognised: then that is what there is to say, and not that no loader was found.
  const problem = volumes.length === 0 ? (unread[0] ?? notBootable(disk)) : undefined;
  at('looking for what would boot');
  const choice =
    problem === undefined ? await chooseBoot(volumes, budget, withFirmware ? { firmware: 'uefi' } : {}) : NOTHING;
  return { layers, choice, unread, problem, notes, close: () => disk.close() };
}

/** Nothing says of a raw disk that it is one: a file in which nothing at all is recognised is none. */
function isNothing(disk: Disk, table: string, unread: readonly FormatError[]): boolean {
  const isRaw = disk.format === 'raw' && disk.wrappings.length === 0 && table === 'none';
  return isRaw && unread.length > 0 && unread.every(({ message }) => message.includes('none is recognised'));
}

function notBootable({ source }: Disk): FormatError {
  return new FormatError('not-a-kernel', source.name, 0, 'it has no volume that anything could boot from');
}

/** A backing file is found among those that were named, by the last part of the name that the image asks for. */
function givenBacking(files: readonly ByteSource[]): BackingResolver {
  return ({ name }) => files.find((file) => basename(file.name) === basename(name));
}
