import { FormatError } from '../format-error.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { windowOf } from '../source/window.ts';
import { detectFormat } from './detect.ts';
import type { Disk, OpenDiskOptions } from './disk.ts';
import { isUnread, notRead, type ReadFormat } from './disk-format.ts';
import type { Layer } from './layer.ts';
import { openTar } from './open-tar.ts';
import { Opening } from './opening.ts';
import { openQcow2 } from './qcow2/open-qcow2.ts';
import { unpackToFile } from './unpack.ts';
import { fixedVhdSize } from './vhd.ts';

/** A disk in a tar in gzip is two; nobody packs more often with intent. */
const MOST_WRAPPINGS = 6;

/**
 * Opens what a file holds as the disk that a guest would see: raw, qcow2 with its chain, a fixed VHD; also inside of
 * gzip, zstd, tar, and a containerDisk (`openDiskPath` for one that is a folder).
 * @param source stays open and is the caller's to close, after the disk
 * @throws FormatError: `unsupported` and `encrypted` name the format and what to do; `escape` names a backing file
 */
export async function openDisk(source: ByteSource, options: OpenDiskOptions): Promise<Disk> {
  const opening = new Opening(options);
  try {
    return await openLayer(opening.layer(source, 'given'), opening, options.format);
  } catch (cause) {
    opening.close();
    throw cause;
  }
}

/** Goes on with what an archive was found to hold. */
export async function openLayer(first: Layer, opening: Opening, told?: 'raw' | 'qcow2'): Promise<Disk> {
  let layer = first;
  for (;;) {
    const format = told ?? (await detectFormat(layer.view));
    if (opening.wrappings.length > MOST_WRAPPINGS)
      throw new FormatError('over-budget', layer.view.name, 0, `packed more than ${MOST_WRAPPINGS} times`);
    if (isUnread(format)) throw notRead(format, layer.view.name);
    switch (format) {
      case 'raw':
        return done(format, layer.view, opening);
      case 'qcow2':
        return done(format, await openQcow2(layer.view, opening), opening);
      case 'vhd':
        return done(format, windowOf(layer.view, layer.view.name, 0, await fixedVhdSize(layer.view)), opening);
      case 'gzip':
      case 'zstd': {
        opening.wrappings.push(format);
        const { unpacked } = await unpackToFile(format, layer.plain, opening, false);
        layer = opening.layer(unpacked, 'owned');
        break;
      }
      case 'tar':
        layer = await openTar(layer, opening);
        break;
      case 'oci':
        throw new FormatError('malformed', layer.view.name, 0, 'an OCI image is a folder or a tar');
    }
  }
}

function done(format: ReadFormat, source: ByteSource, opening: Opening): Disk {
  return {
    format,
    wrappings: opening.wrappings,
    source,
    notes: opening.notes,
    close: () => opening.close(),
  };
}
