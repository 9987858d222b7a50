import { FormatError } from '../../format-error.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { type Archive, memberLayer, tarMembers } from '../archive.ts';
import { detectFormat } from '../detect.ts';
import type { Layer } from '../layer.ts';
import type { Opening } from '../opening.ts';
import type { TarMember } from '../tar/read-tar.ts';
import { digestOf, unpackToFile } from '../unpack.ts';
import { checkDigest } from './blob.ts';
import { type ImageLayer, imageLayers } from './image-layers.ts';

/** KubeVirt looks for the disk there, and for nothing else (its user guide, "containerDisk"). */
const FOLDER = 'disk';
/** OCI image specification, "Whiteouts". */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * The disk of a KubeVirt containerDisk: the one file in the folder `/disk` of the image, from its uppermost layer that
 * has one. All layers that are looked at are compared with their digests.
 * @throws FormatError
 */
export async function openContainerDisk(archive: Archive, opening: Opening): Promise<Layer> {
  const layers = await imageLayers(archive, opening);
  const hidden = new Set<string>();
  for (const layer of layers.toReversed()) {
    const { tar, unpacked } = await openImageLayer(layer, opening);
    const members = await tarMembers(tar, opening, concernsDisk);
    const disks = [...members.values()].filter(
      ({ name, kind }) => kind !== 'folder' && name.startsWith(`${FOLDER}/`) && !isWhiteout(name) && !hidden.has(name),
    );
    const [disk] = disks;
    if (disk !== undefined) {
      if (disks.length > 1)
        throw new FormatError(
          'unsupported',
          archive.name,
          0,
          `${disks.length} files in /disk, KubeVirt takes one only`,
        );
      if (disk.kind !== 'file')
        throw new FormatError('unsupported', archive.name, 0, `/${disk.name} is no file but a ${disk.kind}`);
      return memberLayer(tar, disk);
    }
    if (unpacked !== undefined) opening.release(unpacked);
    if (hide(members.keys(), hidden)) break;
  }
  throw new FormatError('unsupported', archive.name, 0, 'an image without a file in /disk: it is no containerDisk');
}

/** Files directly in the folder, and whiteouts of them, of the folder, and of all. */
function concernsDisk({ name }: TarMember): boolean {
  const parts = name.split('/');
  if (parts.length === 1) return name === FOLDER || name === WHITEOUT + FOLDER || name === OPAQUE;
  return parts.length === 2 && parts[0] === FOLDER;
}

function isWhiteout(name: string): boolean {
  return (name.split('/').at(-1) ?? '').startsWith(WHITEOUT);
}

/** Names of /disk that layers may take away: it holds one file. */
const MOST_HIDDEN = 4096;

/** Adds what a layer hides of those below it. @returns whether that is all of the folder */
function hide(names: Iterable<string>, hidden: Set<string>): boolean {
  let all = false;
  for (const name of names) {
    const [folder = '', file] = name.split('/');
    if (file === undefined) all ||= folder !== FOLDER;
    else if (file === OPAQUE) all = true;
    else if (file.startsWith(WHITEOUT)) hidden.add(`${folder}/${file.slice(WHITEOUT.length)}`);
  }
  if (hidden.size > MOST_HIDDEN)
    throw new FormatError('over-budget', 'OCI layer', 0, `more than ${MOST_HIDDEN} whiteouts in /disk`);
  return all;
}

/** A layer as a tar, unpacked where it must be, compared with its digests. */
async function openImageLayer(
  layer: ImageLayer,
  opening: Opening,
): Promise<{ readonly tar: Layer; readonly unpacked: ByteSource | undefined }> {
  const { content, name } = layer;
  if (layer.mediaType.endsWith('+encrypted'))
    throw new FormatError('encrypted', name, 0, "its content can't be read without its key");
  const format = await detectFormat(content.view);
  if (format === 'tar') {
    const wanted = layer.packed ?? layer.unpacked;
    if (wanted !== undefined) checkDigest(name, wanted, await digestOf(content.plain, opening));
    return { tar: content, unpacked: undefined };
  }
  if (format !== 'gzip' && format !== 'zstd')
    throw new FormatError('unsupported', name, 0, `a layer that is neither a tar nor one in gzip or zstd (${format})`);
  const { unpacked, digests } = await unpackToFile(format, content.plain, opening, true);
  const tar = opening.layer(unpacked, 'owned', 'part');
  if (digests !== undefined && layer.packed !== undefined) checkDigest(name, layer.packed, digests.packed);
  if (digests !== undefined && layer.unpacked !== undefined) checkDigest(name, layer.unpacked, digests.unpacked);
  return { tar, unpacked };
}
