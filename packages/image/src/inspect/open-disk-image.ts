import { basename } from 'node:path';
import type { ImageLayers } from '@unpin/contract';
import { chooseBoot } from '../boot-set/choose-boot.ts';
import type { BackingResolver } from '../disk/backing.ts';
import type { Disk } from '../disk/disk.ts';
import { FORMAT_TITLES } from '../disk/disk-format.ts';
import { openDisk } from '../disk/open-disk.ts';
import { type GivenFolder, openDiskFolder } from '../disk/open-disk-folder.ts';
import { FormatError } from '../format-error.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { NO_CHOICE, type OpenedImage, type OpenImageOptions } from './open-image.ts';
import { openVolumes } from './open-volumes.ts';

/** Opens a disk as far as what it offers to start. @param outer what is known of the file. @throws FormatError */
export async function openDiskImage(
  source: ByteSource | GivenFolder,
  outer: ImageLayers,
  options: OpenImageOptions,
): Promise<OpenedImage> {
  const diskOptions = {
    budget: options.budget,
    backing: givenBacking(options.backing ?? []),
    ...(options.spill === undefined ? {} : { spill: options.spill }),
  };
  const disk = await ('read' in source ? openDisk(source, diskOptions) : openDiskFolder(source, diskOptions));
  try {
    return await readDisk(disk, outer, options);
  } catch (error) {
    disk.close();
    throw error;
  }
}

async function readDisk(
  disk: Disk,
  outer: ImageLayers,
  { budget, withFirmware, at }: OpenImageOptions,
): Promise<OpenedImage> {
  at('reading partitions and filesystems');
  const container = [...disk.wrappings.map((each) => FORMAT_TITLES[each]), FORMAT_TITLES[disk.format]].join(', ');
  const { table, volumes, unread, described, notes } = await openVolumes(disk.source, budget);
  if (isNothing(disk, table.kind, unread))
    throw new FormatError('not-a-kernel', disk.source.name, 0, 'neither a kernel nor a disk: no format is recognised');
  const layers: ImageLayers = {
    ...outer,
    container,
    diskBytes: disk.source.size,
    partitions: table.kind,
    volumes: [...described],
    notes: [...disk.notes, ...table.notes, ...notes],
  };
  // Nothing at all was recognised: then that is what there is to say, and not that no loader was found.
  const problem = volumes.length === 0 ? (unread[0] ?? notBootable(disk)) : undefined;
  at('looking for what would boot');
  const choice =
    problem === undefined ? await chooseBoot(volumes, budget, withFirmware ? { firmware: 'uefi' } : {}) : NO_CHOICE;
  return { layers, choice, unread, problem, close: () => disk.close() };
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
