import { FormatError } from '../format-error.ts';
import type { FileNode, Filesystem } from './filesystem.ts';

/** As Linux (MAXSYMLINKS): more links on one way are a cycle. */
const LINK_LIMIT = 40;
/** As Linux (PATH_MAX), in characters: no loader and no kernel follows a longer one. */
const PATH_LIMIT = 4096;

export interface WalkOptions {
  /** Whether a symbolic link at the end of the path is followed; yes unless told otherwise. */
  readonly followLast?: boolean;
}

/** Where a path led. */
export interface Place {
  readonly node: FileNode;
  /** From the filesystem's root, as it is without links and dots: `/boot/vmlinuz-6.12.48+deb13-amd64`. */
  readonly path: string;
}

/**
 * The file that a path names, undefined where there is none. All paths start at the filesystem's root, with a slash or
 * without; so do absolute targets of links, as in a chroot: a filesystem meant to be mounted below `/boot` is asked
 * with paths below that. `..` ends at the root.
 * @throws FormatError cycle after 40 links; malformed for a path of more than 4096 characters; what the filesystem
 *   throws
 */
export async function walk(filesystem: Filesystem, path: string, options?: WalkOptions): Promise<FileNode | undefined> {
  return (await locate(filesystem, path, options))?.node;
}

/** As `walk`, and says where it got to. */
export async function locate(filesystem: Filesystem, path: string, options?: WalkOptions): Promise<Place | undefined> {
  const root: Step = { name: '', node: filesystem.root };
  const followLast = options?.followLast ?? true;
  // What is still to walk, the next name last.
  const ahead = namesOf(filesystem, path).reverse();
  let way: Step[] = [root];
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    const here = way.at(-1) ?? root;
    if (here.node.kind !== 'directory') return undefined;
    if (name === '.') continue;
    if (name === '..') {
      if (way.length > 1) way.pop();
      continue;
    }
    const node = await filesystem.find(here.node, name);
    if (node === undefined) return undefined;
    if (node.kind === 'symlink' && (ahead.length > 0 || followLast)) {
      if (++links > LINK_LIMIT) throw new FormatError('cycle', 'path', 0, `more than ${LINK_LIMIT} symbolic links`);
      const target = await filesystem.readLink(node);
      if (target.startsWith('/')) way = [root];
      ahead.push(...namesOf(filesystem, target).reverse());
    } else way.push({ name, node });
  }
  const end = way.at(-1) ?? root;
  return { node: end.node, path: way.length === 1 ? '/' : way.map((step) => step.name).join('/') };
}

/**
 * A whole file of at most `limit` bytes: a loader's configuration. Undefined where there is no regular file.
 * @throws FormatError over-budget where it is larger; what `walk` throws
 */
export async function readSmallFile(
  filesystem: Filesystem,
  path: string,
  limit: number,
): Promise<Uint8Array | undefined> {
  const node = await walk(filesystem, path);
  if (node?.kind !== 'file') return undefined;
  const source = await filesystem.open(node);
  if (source.size > limit) throw new FormatError('over-budget', 'file', 0, `${source.size} bytes, at most ${limit}`);
  return await source.read(0, source.size);
}

interface Step {
  readonly name: string;
  readonly node: FileNode;
}

/** A trailing slash asks for a directory: it counts as a `.` there, which only a directory has. */
function namesOf(filesystem: Filesystem, path: string): string[] {
  if (path.length > PATH_LIMIT)
    throw new FormatError('malformed', 'path', 0, `${path.length} characters, at most ${PATH_LIMIT}`);
  // On FAT no name has a backslash, and loaders from the EFI world part names by it.
  const names = (filesystem.kind.startsWith('FAT') ? path.replaceAll('\\', '/') : path).split('/');
  if (names.at(-1) === '' && names.length > 1) names[names.length - 1] = '.';
  return names.filter((name) => name !== '');
}
