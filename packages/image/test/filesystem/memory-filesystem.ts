/** A filesystem of a literal: strings are files, arrays of one string links, objects directories. */
import type { DirectoryEntry, FileNode, Filesystem } from '../../src/filesystem/filesystem.ts';
import { FormatError } from '../../src/index.ts';
import { memorySource } from '../../src/source/memory-source.ts';

export type Tree = string | readonly [target: string] | { readonly [name: string]: Tree };

export function memoryFilesystem(tree: Tree, ignoresCase = false): Filesystem {
  const trees: Tree[] = [];
  const nodes = new Map<Tree, FileNode>();
  const nodeOf = (tree: Tree): FileNode => {
    // Strings of the same text are the same file here: nothing asks.
    const known = nodes.get(tree);
    if (known !== undefined) return known;
    const kind = typeof tree === 'string' ? 'file' : isLink(tree) ? 'symlink' : 'directory';
    const node = { id: trees.length, kind, size: typeof tree === 'string' ? tree.length : 0 } as const;
    trees.push(tree);
    nodes.set(tree, node);
    return node;
  };
  const list = async (directory: FileNode): Promise<DirectoryEntry[]> =>
    Object.entries(trees[directory.id] ?? {}).map(([name, tree]) => ({ name, node: nodeOf(tree) }));
  const fold = (name: string): string => (ignoresCase ? name.toUpperCase() : name);
  return {
    kind: ignoresCase ? 'FAT32' : 'ext4',
    uuid: '',
    label: '',
    notes: [],
    ignoresCase,
    root: nodeOf(tree),
    list,
    find: async (directory, name) => (await list(directory)).find((entry) => fold(entry.name) === fold(name))?.node,
    open: async (file) => {
      const tree = trees[file.id];
      return memorySource('file', Buffer.from(typeof tree === 'string' ? tree : ''));
    },
    readLink: async (link) => {
      const tree = trees[link.id];
      if (tree === undefined || !isLink(tree)) throw new FormatError('malformed', 'link', 0, 'no link');
      return tree[0];
    },
  };
}

function isLink(tree: Tree): tree is readonly [string] {
  return Array.isArray(tree);
}
