import type { ByteSource } from '../source/byte-source.ts';
import type { Disk, OpenDiskOptions } from './disk.ts';
import { openContainerDisk } from './oci/container-disk.ts';
import { openLayer } from './open-disk.ts';
import { Opening } from './opening.ts';

/** A folder whose files somebody else opens. */
export interface GivenFolder {
  /** For people. */
  readonly name: string;
  /** Undefined where there is no such file. Closed with the disk, if it can be. @throws FormatError */
  file(name: string): Promise<ByteSource | undefined>;
}

/** `openDiskPath` of a folder that is an OCI image layout, for who can open no files. @throws FormatError */
export async function openDiskFolder(folder: GivenFolder, options: OpenDiskOptions): Promise<Disk> {
  const opening = new Opening(options);
  const archive = {
    name: folder.name,
    file: async (name: string) => {
      const source = await folder.file(name);
      return source && opening.layer(source, 'owned', 'part');
    },
  };
  try {
    opening.wrappings.push('oci');
    return await openLayer(await openContainerDisk(archive, opening), opening);
  } catch (cause) {
    opening.close();
    throw cause;
  }
}
