import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { memorySource } from '../../source/memory-source.ts';
import { extentSource } from '../extent-source.ts';
import type { DirectoryEntry, FileNode, Filesystem } from '../filesystem.ts';
import { blockPointers } from './block-pointers.ts';
import { directoryEntries, type NamedInode } from './directory.ts';
import { type ExtVolume, openVolume } from './ext-volume.ts';
import { extentTree } from './extent-tree.ts';
import { inlineContent } from './inline-data.ts';
import {
  FLAG_ENCRYPTED,
  FLAG_EXTENTS,
  FLAG_INLINE_DATA,
  type Inode,
  MAP_BYTES,
  ROOT_INODE,
  readInode,
} from './inode.ts';

/** As Linux (PATH_MAX). */
const LINK_LIMIT = 4096;

/** Of one directory, listed at once: a block of names that is mapped again and again would fill the memory. */
const ENTRY_LIMIT = 2 ** 17;

/**
 * An ext2, ext3 or ext4 filesystem: any block size, 64bit, meta_bg, bigalloc, inline data, extents or pointers.
 * Checksums of the superblock, group descriptors, inodes, extent trees and directories are checked where they are kept.
 * Its journal is not carried out.
 * @throws FormatError malformed; truncated; unsupported with the names of features that are not known
 */
export async function openExt(source: ByteSource, budget: Budget): Promise<Filesystem> {
  const volume = await openVolume(source, budget);
  const { kind, uuid, label, notes } = volume.superblock;
  const root = await readInode(volume, ROOT_INODE);
  if (root.kind !== 'directory') throw new FormatError('malformed', 'ext root', root.place, 'no directory');
  return {
    kind,
    uuid,
    label,
    ignoresCase: false,
    root: nodeOf(root),
    notes,
    find: (directory, name) => find(volume, directory, name),
    list: (directory) => list(volume, directory),
    open: (file) => open(volume, file),
    readLink: (link) => readLink(volume, link),
  };
}

async function find(volume: ExtVolume, directory: FileNode, name: string): Promise<FileNode | undefined> {
  const wanted = Buffer.from(name);
  for await (const entry of namesIn(volume, directory))
    if (wanted.equals(entry.name)) return nodeOf(await readInode(volume, entry.inode));
  return undefined;
}

async function list(volume: ExtVolume, directory: FileNode): Promise<readonly DirectoryEntry[]> {
  const names: { readonly name: string; readonly inode: number }[] = [];
  for await (const { name, inode } of namesIn(volume, directory)) {
    if (names.length === ENTRY_LIMIT)
      throw new FormatError(
        'over-budget',
        'ext directory',
        0,
        `more than ${ENTRY_LIMIT} entries in inode ${directory.id}`,
      );
    names.push({ name: Buffer.from(name).toString(), inode });
  }
  // Inodes lie in the order of their numbers: read so, each block of them is read once.
  names.sort((a, b) => a.inode - b.inode);
  const entries: DirectoryEntry[] = [];
  for (const { name, inode } of names) entries.push({ name, node: nodeOf(await readInode(volume, inode)) });
  return entries;
}

async function* namesIn(volume: ExtVolume, directory: FileNode): AsyncGenerator<NamedInode> {
  const inode = await inodeOf(volume, directory, 'directory');
  // Its blocks go through the cache: a directory is read again for the next name.
  yield* directoryEntries(volume, inode, async () => mapped(volume, volume.metadata, inode));
}

async function open(volume: ExtVolume, file: FileNode): Promise<ByteSource> {
  const inode = await inodeOf(volume, file, 'file');
  if ((inode.flags & FLAG_INLINE_DATA) !== 0) return memorySource(nameOf(volume, inode), inlineContent(inode));
  return mapped(volume, volume.source, inode);
}

async function readLink(volume: ExtVolume, link: FileNode): Promise<string> {
  const inode = await inodeOf(volume, link, 'symlink');
  if (inode.size === 0 || inode.size > LINK_LIMIT)
    throw new FormatError('malformed', 'ext symbolic link', inode.place, `a target of ${inode.size} bytes`);
  const target = Buffer.from(await linkBytes(volume, inode));
  const end = target.indexOf(0);
  return (end < 0 ? target : target.subarray(0, end)).toString();
}

async function linkBytes(volume: ExtVolume, inode: Inode): Promise<Uint8Array> {
  if ((inode.flags & FLAG_INLINE_DATA) !== 0) return inlineContent(inode);
  if (isShortLink(volume, inode)) return inode.map.slice(0, inode.size, 'ext symbolic link');
  return mapped(volume, volume.source, inode).read(0, inode.size);
}

/** A short target lies in place of the block map. As Linux tells: the link has no blocks but those of attributes. */
function isShortLink({ superblock }: ExtVolume, inode: Inode): boolean {
  if (inode.size >= MAP_BYTES) return false;
  const attributes = inode.attributeBlock === 0 ? 0 : superblock.clusterBytes;
  return superblock.hasAttributeInodes || inode.occupied === attributes;
}

/** The content of a file that lies in blocks. */
function mapped(volume: ExtVolume, from: ByteSource, inode: Inode): ByteSource {
  const lookup = (inode.flags & FLAG_EXTENTS) === 0 ? blockPointers(volume, inode) : extentTree(volume, inode);
  return extentSource(nameOf(volume, inode), inode.size, from, volume.budget, lookup);
}

/** @throws FormatError malformed where it is of another kind; encrypted */
async function inodeOf(volume: ExtVolume, node: FileNode, kind: Inode['kind']): Promise<Inode> {
  const inode = await readInode(volume, node.id);
  const what = `ext ${kind}`;
  if (inode.kind !== kind) throw new FormatError('malformed', what, inode.place, `inode ${node.id} is another`);
  if ((inode.flags & FLAG_ENCRYPTED) !== 0)
    throw new FormatError('encrypted', what, inode.place, `inode ${node.id} is encrypted, its key is not at hand`);
  return inode;
}

function nodeOf({ number, kind, size }: Inode): FileNode {
  return { id: number, kind, size: kind === 'file' || kind === 'symlink' ? size : 0 };
}

function nameOf(volume: ExtVolume, inode: Inode): string {
  return `${volume.source.name}, inode ${inode.number}`;
}
