/** Files of a filesystem to be made: path (no leading slash) → what is there. Folders come with what is in them. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type TreeFile = string | Uint8Array | { readonly link: string };
export type Tree = Readonly<Record<string, TreeFile>>;

/** Trees in one; the last that names a path has it. */
export function merge(...trees: readonly Tree[]): Tree {
  return Object.assign({}, ...trees) as Tree;
}

/** A tree below a folder of another. */
export function below(folder: string, tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).map(([path, file]) => [`${folder}/${path}`, file]));
}

/** Lays a tree down as files of this machine, for tools that fill a filesystem from a folder. */
export function writeTree(folder: string, tree: Tree): void {
  mkdirSync(folder, { recursive: true });
  for (const [path, file] of Object.entries(tree)) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    if (typeof file === 'string' || file instanceof Uint8Array) writeFileSync(target, file);
    else symlinkSync(file.link, target);
  }
}
