/** All that a filesystem holds, for comparing it with what was put in. */

import type { FileNode, Filesystem } from '../../src/filesystem/filesystem.ts';
import { FormatError } from '../../src/format-error.ts';

/** By path: a file's content, a link's target, `directory`, `other`, or the error that stood in the way. */
export type Found = Map<string, Buffer | string | FormatError>;

/** Of a file: a damaged size may be anything. */
const MOST_BYTES = 2 ** 22;

/** Reads everything. Errors end what they are in, and are kept; over-budget ends all of it. */
export async function readTree(filesystem: Filesystem, within?: FileNode): Promise<Found> {
  const found: Found = new Map();
  const seen = new Set<number>();
  const visit = async (directory: FileNode, path: string): Promise<void> => {
    // A damaged directory may hold one above it.
    if (seen.has(directory.id)) return;
    seen.add(directory.id);
    const entries = await kept(found, `${path}/`, () => filesystem.list(directory));
    for (const { name, node } of entries ?? []) {
      const at = `${path}/${name}`;
      switch (node.kind) {
        case 'directory':
          found.set(at, 'directory');
          await visit(node, at);
          break;
        case 'file':
          await kept(found, at, async () => {
            const source = await filesystem.open(node);
            found.set(at, Buffer.from(await source.read(0, Math.min(source.size, MOST_BYTES))));
          });
          break;
        case 'symlink':
          await kept(found, at, async () => found.set(at, await filesystem.readLink(node)));
          break;
        case 'other':
          found.set(at, 'other');
      }
    }
  };
  await visit(within ?? filesystem.root, '');
  return found;
}

async function kept<T>(found: Found, path: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof FormatError) || error.kind === 'over-budget') throw error;
    found.set(path, error);
  }
}
