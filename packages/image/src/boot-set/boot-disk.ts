import type { FileNode, Filesystem } from '../filesystem/filesystem.ts';
import { glob, listNames } from '../filesystem/glob.ts';
import { locate } from '../filesystem/path.ts';
import type { Volume } from '../filesystem/volume.ts';
import { FormatError } from '../format-error.ts';
import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import type { BootFile } from './boot-choice.ts';

/** Bytes; a loader's configuration is text that a person or a tool wrote: real ones have a few hundred KiB at most. */
const TEXT_LIMIT = 2 ** 20;

/** A volume as boot loaders name it. */
export interface BootVolume {
  /** Of the volumes that were given. */
  readonly index: number;
  /** As GRUB counts, the disk being its first: `hd0,gpt2`, `hd0,msdos1`, `hd0` where the disk is the filesystem. */
  readonly device: string;
  /** For people: `partition 1 (ext4)`. */
  readonly title: string;
  readonly volume: Volume;
}

/** A file that was found where a loader looks for it. */
export interface FoundFile {
  readonly on: BootVolume;
  /** Without links and dots. */
  readonly path: string;
  readonly node: FileNode;
}

/**
 * The volumes of one disk as its loaders see them. What has been looked up is kept: loaders ask for the same files
 * again and again. A structure that can't be read is an obstacle, and counts as absent.
 */
export class BootDisk {
  readonly volumes: readonly BootVolume[];
  readonly budget: Budget;
  /** What of the filesystems could not be read, one line each: who decides must not trust what it didn't find. */
  readonly obstacles: string[] = [];
  /** Statements that GRUBs have run: one limit for all of them. */
  readonly spent = { statements: 0 };
  readonly #places = new Map<string, FoundFile | undefined>();
  readonly #texts = new Map<string, string | undefined>();
  readonly #lists = new Map<string, readonly string[]>();
  readonly #memory = new Map<string, BootVolume>();
  readonly #files = new Map<string, BootFile>();

  constructor(volumes: readonly Volume[], budget: Budget) {
    this.budget = budget;
    this.volumes = volumes.map((volume, index) => {
      const { partition, filesystem } = volume;
      const map = partition?.type.startsWith('0x') === true ? 'msdos' : 'gpt';
      return {
        index,
        volume,
        device: partition === undefined ? 'hd0' : `hd0,${map}${partition.number}`,
        title: `${partition === undefined ? 'whole disk' : `partition ${partition.number}`} (${filesystem.kind})`,
      };
    });
  }

  /** A filesystem that only one loader has, in itself: GRUB's memory disk. The same object for the same source. */
  memoryVolume(name: string, filesystem: Filesystem): BootVolume {
    const known = this.#memory.get(name);
    if (known !== undefined) return known;
    const index = this.volumes.length + this.#memory.size;
    const made = { index, device: 'memdisk', title: `${name} memdisk`, volume: { partition: undefined, filesystem } };
    this.#memory.set(name, made);
    return made;
  }

  /** What a path names, links followed; undefined where there is nothing. */
  async find(on: BootVolume, path: string): Promise<FoundFile | undefined> {
    const key = `${on.index}:${path}`;
    if (!this.#places.has(key)) {
      this.budget.takeSteps(1, 'path', 0);
      const place = await this.#attempt(`${on.title} ${path}`, () => locate(on.volume.filesystem, path));
      this.#places.set(key, place && { on, ...place });
    }
    return this.#places.get(key);
  }

  /** As `find`, only for regular files. */
  async findFile(on: BootVolume, path: string): Promise<FoundFile | undefined> {
    const found = await this.find(on, path);
    return found?.node.kind === 'file' ? found : undefined;
  }

  /** The names in a directory that match a pattern (`*` and `?`), sorted; none where there is no such directory. */
  async list(on: BootVolume, path: string, pattern = '*'): Promise<readonly string[]> {
    const key = `${on.index}:${path}:${pattern}`;
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const names = await this.#attempt(`${on.title} ${path}`, () => listNames(on.volume.filesystem, path, pattern));
    this.#lists.set(key, names ?? []);
    return names ?? [];
  }

  /** What a pattern matches, folders' names included. */
  async glob(on: BootVolume, pattern: string): Promise<readonly string[]> {
    const found = await this.#attempt(`${on.title} ${pattern}`, () => glob(on.volume.filesystem, pattern));
    return (found ?? []).map((match) => match.path);
  }

  /** The text of a configuration; undefined where it can't be read, which is an obstacle then. */
  async text(file: FoundFile): Promise<string | undefined> {
    const key = keyOf(file);
    if (!this.#texts.has(key)) {
      const bytes = await this.#attempt(nameOf(file), async () => {
        const { source } = await this.bootFile(file);
        if (source.size > TEXT_LIMIT)
          throw new FormatError('unsupported', nameOf(file), 0, `${source.size} bytes are no loader's configuration`);
        this.budget.takeSteps(source.size, nameOf(file), 0);
        return await source.read(0, source.size);
      });
      this.#texts.set(key, bytes && Buffer.from(bytes).toString('utf8'));
    }
    return this.#texts.get(key);
  }

  /** A file as one that takes part in a start: the same object for the same file. */
  async bootFile(file: FoundFile): Promise<BootFile> {
    const key = keyOf(file);
    const known = this.#files.get(key);
    if (known !== undefined) return known;
    const made = { name: nameOf(file), source: await file.on.volume.filesystem.open(file.node) };
    this.#files.set(key, made);
    return made;
  }

  /** As `bootFile`; undefined, and an obstacle, where it can't be opened. */
  async tryBootFile(file: FoundFile): Promise<BootFile | undefined> {
    return await this.#attempt(nameOf(file), () => this.bootFile(file));
  }

  /** A part of the disk that is no file: a partition's boot sector. The same object for the same name. */
  rawFile(name: string, source: ByteSource): BootFile {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const made = { name, source };
    this.#files.set(name, made);
    return made;
  }

  /** Runs a read; what is wrong with the image becomes an obstacle. Budget and medium are the caller's to know. */
  async attempt<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
    return await this.#attempt(what, read);
  }

  async #attempt<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof FormatError) || error.kind === 'over-budget' || error.kind === 'unreadable') throw error;
      const line = `${what}: ${error.message}`;
      if (!this.obstacles.includes(line)) this.obstacles.push(line);
      return undefined;
    }
  }
}

/** For people and evidence: `partition 1 (ext4) /boot/grub/grub.cfg`. */
export function nameOf(file: FoundFile): string {
  return `${file.on.title} ${file.path}`;
}

/** The folder that a path lies in. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

/** A path below a folder, or from the root where it says so. */
export function joinPath(folder: string, path: string): string {
  if (path.startsWith('/')) return path;
  return folder.endsWith('/') ? folder + path : `${folder}/${path}`;
}

function keyOf(file: FoundFile): string {
  return `${file.on.index}:${file.node.id}`;
}
