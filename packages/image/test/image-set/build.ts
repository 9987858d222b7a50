/** Makes images of the set, once: each is kept under its recipe's digest beside the fetched assets. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { assetPath, cacheFolder } from '../assets.ts';
import { type DiskSpec, makeDisk } from './disk.ts';
import { type Format, wrap } from './formats.ts';

/** What makes an image what it is. */
export interface Recipe {
  /** Names its folder in the cache; another recipe of the same name takes its place. */
  readonly id: string;
  readonly format: Format;
  readonly disk: DiskSpec;
}

/** Where in a made folder it says what is to be inspected. */
const ENTRY = 'entry.txt';

/** The path of the image, made where it isn't there. Several processes may ask for it at once. */
export function imageOf(recipe: Recipe): string {
  const home = join(cacheFolder(), 'image-set', recipe.id);
  const folder = join(home, digestOf(recipe));
  if (!existsSync(folder)) make(recipe, home, folder);
  return join(folder, readFileSync(join(folder, ENTRY), 'utf8'));
}

/** Makes an image in an empty folder; returns its path. */
export function makeImage({ disk, format }: Pick<Recipe, 'disk' | 'format'>, folder: string): string {
  makeDisk(join(folder, 'disk.raw'), disk);
  return join(folder, wrap(folder, format));
}

function make({ disk, format }: Recipe, home: string, folder: string): void {
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  try {
    writeFileSync(join(fresh, ENTRY), relative(fresh, makeImage({ disk, format }, fresh)));
    for (const old of readdirSync(home))
      if (/^[0-9a-f]+$/.test(old) && old !== basename(folder))
        rmSync(join(home, old), { recursive: true, force: true });
    try {
      renameSync(fresh, folder);
    } catch (error) {
      // Another process was first.
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Over the disk's files and settings, the tools' version, and the code that makes disks of them. */
function digestOf({ format, disk }: Recipe): string {
  const hash = createHash('sha256').update(`${format} ${assetPath('disk-tools') ?? ''}\n`);
  for (const file of ['disk.ts', 'filesystems.ts', 'formats.ts'])
    hash.update(readFileSync(join(import.meta.dirname, file)));
  for (const { tree, filesystem, ...place } of disk.parts) {
    hash.update(json(place));
    hash.update(json(Object.entries(filesystem).map(([name, value]) => [name, settled(value)])));
    hash.update(json(Object.entries(tree).map(([path, file]) => [path, settled(file)])));
  }
  return hash.update(disk.table).digest('hex').slice(0, 16);
}

/** Contents by their digest: nobody wants them as text. */
function settled(value: unknown): unknown {
  return value instanceof Uint8Array ? contentDigest(value) : value;
}

function json(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

const digests = new WeakMap<Uint8Array, string>();

function contentDigest(bytes: Uint8Array): string {
  let digest = digests.get(bytes);
  if (digest === undefined) digests.set(bytes, (digest = createHash('sha256').update(bytes).digest('hex')));
  return digest;
}
