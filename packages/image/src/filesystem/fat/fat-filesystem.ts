import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { type ExtentLookup, extentSource } from '../extent-source.ts';
import type { DirectoryEntry, FileNode, Filesystem } from '../filesystem.ts';
import { BOOT_SECTOR, ENTRY_SIZE, type FatGeometry, readBootSector } from './boot-sector.ts';
import { ClusterChain } from './cluster-chain.ts';
import { type FatEntry, readEntries } from './directory.ts';
import { FileAllocationTable } from './file-allocation-table.ts';
import { readShortEntry, type ShortEntry } from './short-entry.ts';

/** The root directory has no entry anywhere; nothing else can have this id, for the boot sector lies there. */
const ROOT_ID = 0;

/**
 * A FAT12, FAT16 or FAT32 filesystem with long names, from its boot sector; of two FATs the one in use is read.
 * @throws FormatError malformed; truncated; unsupported for exFAT
 */
export async function openFat(source: ByteSource, budget: Budget): Promise<Filesystem> {
  const geometry = readBootSector(await source.read(0, Math.min(BOOT_SECTOR, source.size)));
  const fat = new FileAllocationTable(source, geometry, budget);
  const notes: string[] = [];
  if (geometry.bytes > source.size)
    notes.push(`the filesystem has ${geometry.bytes} bytes, what it lies in ${source.size}: parts of it are missing`);
  if (geometry.dirty || !(await fat.wasClosed())) notes.push('not unmounted in order: a write may be unfinished');
  const volume = new FatVolume(source, geometry, fat, budget);
  // Systems change and look for the label in the root directory; the boot sector has the one that it was made with.
  const label = (await volume.labelEntry()) ?? geometry.label;
  return {
    kind: geometry.kind,
    uuid: geometry.uuid,
    label,
    ignoresCase: true,
    root: { id: ROOT_ID, kind: 'directory', size: 0 },
    notes,
    find: (directory, name) => volume.find(directory, name),
    list: (directory) => volume.list(directory),
    open: (file) => volume.open(file),
    readLink: async (link) => {
      throw new FormatError('malformed', 'FAT file', placeOf(link), 'FAT has no symbolic links');
    },
  };
}

class FatVolume {
  readonly #source: ByteSource;
  readonly #geometry: FatGeometry;
  readonly #fat: FileAllocationTable;
  readonly #budget: Budget;

  constructor(source: ByteSource, geometry: FatGeometry, fat: FileAllocationTable, budget: Budget) {
    this.#source = source;
    this.#geometry = geometry;
    this.#fat = fat;
    this.#budget = budget;
  }

  async labelEntry(): Promise<string | undefined> {
    for await (const entry of this.#entries(this.#rootExtents())) if (entry.kind === 'label') return entry.name;
    return undefined;
  }

  async find(directory: FileNode, name: string): Promise<FileNode | undefined> {
    const wanted = fold(name);
    for await (const entry of this.#files(directory))
      if (fold(entry.name) === wanted || (entry.longName !== undefined && fold(entry.longName) === wanted))
        return nodeOf(entry);
    return undefined;
  }

  async list(directory: FileNode): Promise<DirectoryEntry[]> {
    const entries: DirectoryEntry[] = [];
    for await (const entry of this.#files(directory))
      entries.push({ name: entry.longName ?? entry.name, node: nodeOf(entry) });
    return entries;
  }

  async open(file: FileNode): Promise<ByteSource> {
    const place = placeOf(file);
    if (file.kind !== 'file') throw new FormatError('malformed', 'FAT file', place, `a ${file.kind} has no content`);
    const { size, cluster, name } = await this.#entryAt(place);
    const lookup = size === 0 ? async () => [] : this.#fileExtents(place, cluster, size);
    return extentSource(`${this.#source.name}, ${name}`, size, this.#source, this.#budget, lookup);
  }

  #fileExtents(place: number, cluster: number, size: number): ExtentLookup {
    const chain = new ClusterChain(this.#fat, this.#geometry, cluster, 'FAT file');
    return async (offset, length) => {
      const extents = await chain.extents(offset, length);
      const last = extents.at(-1);
      if (last === undefined || last.at + last.length < offset + length)
        throw new FormatError('truncated', 'FAT file', place, `its clusters end before its ${size} bytes do`);
      return extents;
    };
  }

  /** Files and directories, without those whose name could not be one: they can't be opened on any system either. */
  async *#files(directory: FileNode): AsyncGenerator<FatEntry> {
    for await (const entry of this.#entries(await this.#directoryExtents(directory)))
      if (entry.kind !== 'label' && isName(entry.name))
        yield entry.longName === undefined || isName(entry.longName) ? entry : { ...entry, longName: undefined };
  }

  #entries(extents: ExtentLookup): AsyncGenerator<FatEntry> {
    return readEntries(this.#source, this.#budget, this.#geometry.kind === 'FAT32', extents);
  }

  async #directoryExtents(directory: FileNode): Promise<ExtentLookup> {
    if (directory.id === ROOT_ID) return this.#rootExtents();
    const place = placeOf(directory);
    const entry = await this.#entryAt(place);
    if (entry.kind !== 'directory') throw new FormatError('malformed', 'FAT directory', place, 'this is a file');
    return this.#chainExtents(entry.cluster);
  }

  #rootExtents(): ExtentLookup {
    const { root } = this.#geometry;
    if ('cluster' in root) return this.#chainExtents(root.cluster);
    return async () => [{ at: 0, length: root.bytes, start: root.start }];
  }

  #chainExtents(cluster: number): ExtentLookup {
    const chain = new ClusterChain(this.#fat, this.#geometry, cluster, 'FAT directory');
    return (offset, length) => chain.extents(offset, length);
  }

  /** @param place of a short entry, in bytes */
  async #entryAt(place: number): Promise<ShortEntry> {
    const bytes = await this.#source.read(place, ENTRY_SIZE);
    return readShortEntry(new ByteReader(bytes), 0, this.#geometry.kind === 'FAT32');
  }
}

/** A file's id is where its short entry lies, counted in entries: its first cluster would not do, empty ones have none. */
function nodeOf(entry: FatEntry): FileNode {
  return {
    id: entry.place / ENTRY_SIZE,
    kind: entry.kind === 'directory' ? 'directory' : 'file',
    size: entry.size,
  };
}

function placeOf(node: FileNode): number {
  return node.id * ENTRY_SIZE;
}

function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name);
}

/** Names are compared without case. */
function fold(name: string): string {
  return name.toUpperCase();
}
