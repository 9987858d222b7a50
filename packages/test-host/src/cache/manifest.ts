/** What is in the cache: one JSON file that names each asset's version, the packages it came from and its main file. */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A Debian package that an asset was unpacked from. */
export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  /** Of the .deb, hexadecimal; apt compared it with the signed index. */
  readonly sha256: string;
}

export interface AssetRecord {
  readonly id: string;
  readonly version: string;
  /** Relative to the cache folder. */
  readonly directory: string;
  /** The file that the asset is fetched for, relative to its directory, and its size in bytes. */
  readonly file: string;
  readonly size: number;
  readonly packages: readonly PackageRecord[];
  /** When it was fetched, ISO 8601. */
  readonly fetched: string;
}

export interface Manifest {
  readonly format: 1;
  readonly assets: Readonly<Record<string, AssetRecord>>;
}

const EMPTY: Manifest = { format: 1, assets: {} };

function manifestPath(cache: string): string {
  return join(cache, 'manifest.json');
}

/** The manifest of a cache folder. One that is missing, damaged, or of another format is empty: all can be fetched again. */
export function readManifest(cache: string): Manifest {
  const path = manifestPath(cache);
  if (!existsSync(path)) return EMPTY;
  try {
    return parseManifest(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (error instanceof SyntaxError) return EMPTY;
    throw error;
  }
}

/** Total: what is no manifest of this format gives an empty one, a record that is none is left out. */
export function parseManifest(value: unknown): Manifest {
  if (!isObject(value) || value['format'] !== 1 || !isObject(value['assets'])) return EMPTY;
  const assets: Record<string, AssetRecord> = {};
  for (const [id, record] of Object.entries(value['assets']))
    if (isRecord(record) && record.id === id) assets[id] = record;
  return { format: 1, assets };
}

/** Replaces the manifest as a whole: a reader sees the old one or the new one. The caller holds the cache's lock. */
export function writeManifest(cache: string, manifest: Manifest): void {
  const path = manifestPath(cache);
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(manifest, undefined, 2)}\n`);
  renameSync(fresh, path);
}

/** The manifest with one record added or replaced. */
export function withAsset(manifest: Manifest, record: AssetRecord): Manifest {
  return { format: 1, assets: { ...manifest.assets, [record.id]: record } };
}

/** The record of an asset whose main file is really there, in the size that was recorded. */
export function presentAsset(
  cache: string,
  id: string,
  manifest: Manifest = readManifest(cache),
): AssetRecord | undefined {
  const record = manifest.assets[id];
  if (record === undefined) return undefined;
  const found = statSync(join(cache, record.directory, record.file), { throwIfNoEntry: false });
  return found?.isFile() === true && found.size === record.size ? record : undefined;
}

function isRecord(value: unknown): value is AssetRecord {
  if (!isObject(value)) return false;
  const texts = ['id', 'version', 'directory', 'file', 'fetched'].every((key) => typeof value[key] === 'string');
  const packages = value['packages'];
  return texts && typeof value['size'] === 'number' && Array.isArray(packages) && packages.every(isPackage);
}

function isPackage(value: unknown): value is PackageRecord {
  return isObject(value) && ['name', 'version', 'sha256'].every((key) => typeof value[key] === 'string');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
