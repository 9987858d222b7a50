import { statSync } from 'node:fs';
import { openFileSource } from '../source/file-source.ts';
import type { Disk, OpenDiskOptions } from './disk.ts';
import { folderArchive } from './folder-archive.ts';
import { openContainerDisk } from './oci/container-disk.ts';
import { openDisk, openLayer } from './open-disk.ts';
import { Opening } from './opening.ts';

/**
 * `openDisk` by a path: a file, or a folder that is an OCI image layout. All that it opened is closed with the disk.
 * @throws FormatError; UnpinError FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function openDiskPath(path: string, options: OpenDiskOptions): Promise<Disk> {
  if (isFolder(path)) return openFolder(path, options);
  const file = openFileSource(path);
  try {
    const disk = await openDisk(file, options);
    return {
      ...disk,
      close: () => {
        disk.close();
        file.close();
      },
    };
  } catch (cause) {
    file.close();
    throw cause;
  }
}

async function openFolder(path: string, options: OpenDiskOptions): Promise<Disk> {
  const opening = new Opening(options);
  try {
    opening.wrappings.push('oci');
    return await openLayer(await openContainerDisk(folderArchive(path, opening), opening), opening);
  } catch (cause) {
    opening.close();
    throw cause;
  }
}

/** What can't be looked at is left to the opening, which says why. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
