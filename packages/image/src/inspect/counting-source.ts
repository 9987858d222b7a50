import type { GivenFolder } from '../disk/open-disk-folder.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { closeSource } from '../source/closable-source.ts';

export interface Counting<Medium> {
  /** As the medium, but for the count. */
  readonly source: Medium;
  bytesRead(): number;
}

/** Counts what is read of a medium, or of the files of a folder. */
export function counting(medium: ByteSource | GivenFolder): Counting<ByteSource | GivenFolder> {
  let count = 0;
  const counted = (below: ByteSource): ByteSource & { close(): void } => ({
    name: below.name,
    size: below.size,
    read: (offset, length) => {
      count += length;
      return below.read(offset, length);
    },
    close: () => closeSource(below),
  });
  const bytesRead = (): number => count;
  if ('read' in medium) return { source: counted(medium), bytesRead };
  const folder: GivenFolder = {
    name: medium.name,
    file: async (name) => {
      const below = await medium.file(name);
      return below && counted(below);
    },
  };
  return { source: folder, bytesRead };
}
