import { FormatError } from '../format-error.ts';
import { memberLayer, tarArchive, tarMembers } from './archive.ts';
import { isDiskName } from './disk-name.ts';
import type { Layer } from './layer.ts';
import { openContainerDisk } from './oci/container-disk.ts';
import type { Opening } from './opening.ts';

/** What an archive of an image holds for those who look for one. */
const IMAGE_FILES = ['index.json', 'manifest.json'];

/** The disk in a tar: its only disk-like member, or the one that was asked for; or of the image that it holds. */
export async function openTar(layer: Layer, opening: Opening): Promise<Layer> {
  const members = await tarMembers(layer, opening, ({ kind }) => kind !== 'folder' && kind !== 'other');
  const { name } = layer.view;
  if (opening.member === undefined && IMAGE_FILES.some((file) => members.has(file))) {
    opening.wrappings.push('oci');
    return openContainerDisk(tarArchive(layer, members), opening);
  }
  opening.wrappings.push('tar');
  const disks = [...members.values()].filter(
    (member) =>
      member.kind === 'file' &&
      (opening.member === undefined ? isDiskName(member.name) : member.name === opening.member),
  );
  const [disk] = disks;
  if (disk === undefined)
    throw new FormatError(
      'unsupported',
      name,
      0,
      opening.member === undefined ? 'a tar without a disk' : `a tar without ${opening.member}`,
    );
  if (disks.length > 1)
    throw new FormatError(
      'unsupported',
      name,
      0,
      `a tar with ${disks.length} disks, say which: ${disks
        .slice(0, 5)
        .map((one) => one.name)
        .join(', ')}`,
    );
  return memberLayer(layer, disk);
}
