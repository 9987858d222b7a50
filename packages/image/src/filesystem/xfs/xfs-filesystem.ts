import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { memorySource } from '../../source/memory-source.ts';
import { extentSource } from '../extent-source.ts';
import type { DirectoryEntry, FileNode, Filesystem } from '../filesystem.ts';
import { Directory } from './directory.ts';
import { textOf, type XfsEntry } from './directory-entry.ts';
import { extentMap, writtenExtents } from './extent-map.ts';
import { type Inode, readInode } from './inode.ts';
import { logNote } from './log.ts';
import { readSuperblock, SUPERBLOCK_BYTES, sectorSizeOf } from './superblock.ts';
import { readSymlink } from './symlink.ts';
import type { XfsVolume } from './volume.ts';

/** Of one directory, listed at once: a block of names that is mapped again and again would fill the memory. */
const ENTRY_LIMIT = 2 ** 17;

/**
 * An XFS of version 5, or of version 4. What version 5 says of its blocks (checksum, place, owner) is checked wherever
 * one is read. A file is known by its inode's number.
 * @throws FormatError malformed; truncated; unsupported by the name of what is not implemented
 */
export async function openXfs(source: ByteSource, budget: Budget): Promise<Filesystem> {
  const sectorSize = sectorSizeOf(await source.read(0, Math.min(SUPERBLOCK_BYTES, source.size)));
  const superblock = readSuperblock(await source.read(0, sectorSize));
  const volume: XfsVolume = { source, superblock, budget };
  const root = await readInode(volume, superblock.rootInode);
  if (root.kind !== 'directory')
    throw new FormatError('malformed', 'XFS superblock', 56, `the root inode is a ${root.kind}`);
  const bytes = superblock.blocks * superblock.blockSize;
  const notes: string[] = [];
  if (bytes > source.size)
    notes.push(`the filesystem has ${bytes} bytes, what it lies in ${source.size}: parts of it are missing`);
  if (superblock.needsRepair) notes.push('it is marked for xfs_repair: Linux does not mount it');
  const log = await logNote(volume);
  if (log !== undefined) notes.push(log);

  return {
    kind: 'XFS',
    uuid: superblock.uuid,
    label: superblock.label,
    ignoresCase: superblock.asciiCaseless,
    root: nodeOf(root),
    notes,
    find: async (directory, name) => {
      const entry = await new Directory(volume, await readInode(volume, directory.id)).find(name);
      return entry && nodeOf(await readInode(volume, entry.inode));
    },
    list: async (directory) => listNodes(volume, await readInode(volume, directory.id)),
    open: async (file) => openInode(volume, await readInode(volume, file.id)),
    readLink: async (link) => readSymlink(volume, await readInode(volume, link.id)),
  };
}

async function listNodes(volume: XfsVolume, directory: Inode): Promise<DirectoryEntry[]> {
  const listed: DirectoryEntry[] = [];
  for await (const entry of new Directory(volume, directory).entries()) {
    if (listed.length === ENTRY_LIMIT)
      throw new FormatError('over-budget', `XFS directory ${directory.number}`, 0, `more than ${ENTRY_LIMIT} entries`);
    listed.push({ name: textOf(entry.rawName), node: await nodeOfEntry(volume, entry) });
  }
  return listed;
}

/**
 * A damaged inode must not hide the names beside it: it is listed by what the directory knows, and says what is wrong
 * once it is opened.
 */
async function nodeOfEntry(volume: XfsVolume, entry: XfsEntry): Promise<FileNode> {
  try {
    return nodeOf(await readInode(volume, entry.inode));
  } catch (error) {
    if (!(error instanceof FormatError) || (error.kind !== 'malformed' && error.kind !== 'truncated')) throw error;
    return { id: entry.inode, kind: entry.kind ?? 'other', size: 0 };
  }
}

async function openInode(volume: XfsVolume, inode: Inode): Promise<ByteSource> {
  const what = `XFS inode ${inode.number}`;
  const name = `${volume.source.name}, inode ${inode.number}`;
  if (inode.kind !== 'file') throw new FormatError('malformed', what, 0, `a ${inode.kind} has no content`);
  // Linux keeps no file's content in its inode, but the format has it.
  if (inode.format === 'local') {
    if (inode.size > inode.fork.length)
      throw new FormatError('malformed', what, 0, `${inode.size} bytes in an inode's ${inode.fork.length}`);
    return memorySource(name, inode.fork.subarray(0, inode.size));
  }
  const lookup = writtenExtents(volume, extentMap(volume, inode), what);
  return extentSource(name, inode.size, volume.source, volume.budget, lookup);
}

function nodeOf(inode: Inode): FileNode {
  return {
    id: inode.number,
    kind: inode.kind,
    size: inode.kind === 'file' || inode.kind === 'symlink' ? inode.size : 0,
  };
}
