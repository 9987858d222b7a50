/** Fetches assets into the cache: what is there stays, what is missing is downloaded, checked, unpacked and recorded. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UnpinError } from '@unpin/contract/errors';
import { cacheFolder } from '../cache/cache-folder.ts';
import { withFileLock } from '../cache/file-lock.ts';
import { type AssetRecord, presentAsset, readManifest, withAsset, writeManifest } from '../cache/manifest.ts';
import { busyboxInitrd } from '../initrd/busybox-initrd.ts';
import { ASSET_IDS, ASSETS, type Asset, type AssetId, type AssetSource } from './assets.ts';
import { hasLaunchers, writeLaunchers } from './launchers.ts';
import { type Offer, PrivateApt } from './private-apt.ts';
import { resolve } from './resolve.ts';
import { settle, writeSystemLaunchers } from './small-system.ts';
import type { SuiteGroup } from './suites.ts';
import { findFile, inPlace, sha256, unpack } from './unpack.ts';

/** How many versions are passed over that a mirror's indexes name and it doesn't have. */
const OLDER_VERSIONS = 4;

/** What is being done; `asset` is missing where it concerns several. */
export type FetchProgress =
  | { readonly stage: 'waiting for another fetch' }
  | { readonly stage: 'reading indexes'; readonly group: SuiteGroup }
  | {
      readonly stage: 'present' | 'downloading' | 'unpacking' | 'done';
      readonly asset: AssetId;
      readonly version: string;
    };

export interface FetchOptions {
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Take today's version even where another is present. */
  readonly update?: boolean;
  /** Default: cacheFolder(). */
  readonly cache?: string;
}

/**
 * Makes sure that the assets are in the cache. Idempotent; a run that was stopped is continued by the next; several at
 * once wait for each other. Throws ASSET_UNAVAILABLE; assets that came before the error stay.
 */
export async function fetchAssets(ids: readonly AssetId[], options: FetchOptions = {}): Promise<AssetRecord[]> {
  const cache = options.cache ?? cacheFolder();
  const tell = options.onProgress ?? (() => {});
  const wanted = withSources(ids);
  const work = new Fetching(cache, tell, options.update ?? false);
  // Nothing to write, nothing to lock: the way of every test run after the first.
  if (options.update !== true) {
    const records = wanted.map((id) => work.present(id)).filter((record) => record !== undefined);
    if (records.length === wanted.length) return records;
  }
  const lock = join(cache, 'fetch.lock');
  return await withFileLock(
    lock,
    () => tell({ stage: 'waiting for another fetch' }),
    () => work.all(wanted),
  );
}

/** The file of an asset, absolute. Throws TEST_HOST_MISSING with the command that fetches it. */
export function assetPath(id: AssetId, cache: string = cacheFolder()): string {
  const record = requireAsset(id, cache);
  return join(cache, record.directory, record.file);
}

/** The folder that an asset was unpacked to, absolute. Throws TEST_HOST_MISSING. */
export function assetFolder(id: AssetId, cache: string = cacheFolder()): string {
  return join(cache, requireAsset(id, cache).directory);
}

/** The record of an asset that is there, else undefined. */
export function findAsset(id: AssetId, cache: string = cacheFolder()): AssetRecord | undefined {
  return presentAsset(cache, id);
}

function requireAsset(id: AssetId, cache: string): AssetRecord {
  const record = presentAsset(cache, id);
  if (record === undefined) throw missingAssets([id], cache);
  return record;
}

/** Throws TEST_HOST_MISSING, naming all that are missing at once and the command that fetches them. */
export function requireAssets(ids: readonly AssetId[], cache: string = cacheFolder()): void {
  const manifest = readManifest(cache);
  const missing = ids.filter((id) => presentAsset(cache, id, manifest) === undefined);
  if (missing.length > 0) throw missingAssets(missing, cache);
}

function missingAssets(ids: readonly AssetId[], cache: string): UnpinError {
  return new UnpinError('TEST_HOST_MISSING', {
    subject: ids.map((id) => `${ASSETS[id].title} (${id})`).join(', '),
    found: `nothing in ${cache}`,
    next: `unpin test-host fetch ${ids.join(' ')}`,
  });
}

/** Assets in the order of the table, with those that they are built of. */
function withSources(ids: readonly AssetId[]): AssetId[] {
  const needed = new Set(ids);
  for (const id of ids) {
    const { source } = ASSETS[id];
    if (source.kind === 'shell-initrd') needed.add(source.busybox);
  }
  return ASSET_IDS.filter((id) => needed.has(id));
}

class Fetching {
  readonly #cache: string;
  readonly #tell: (progress: FetchProgress) => void;
  readonly #update: boolean;
  readonly #groups = new Map<SuiteGroup, PrivateApt>();

  constructor(cache: string, tell: (progress: FetchProgress) => void, update: boolean) {
    this.#cache = cache;
    this.#tell = tell;
    this.#update = update;
  }

  async all(ids: readonly AssetId[]): Promise<AssetRecord[]> {
    const records: AssetRecord[] = [];
    for (const id of ids) records.push((this.#update ? undefined : this.present(id)) ?? (await this.#one(id)));
    return records;
  }

  /** The record of an asset that needs no work; what is built here needs some when its builder has changed. */
  present(id: AssetId): AssetRecord | undefined {
    const record = presentAsset(this.#cache, id);
    if (record === undefined) return undefined;
    const { source } = ASSETS[id];
    if (source.kind === 'shell-initrd' && this.#shellInitrd(source.busybox)?.version !== record.version)
      return undefined;
    if (!this.#hasAllParts(id, record)) return undefined;
    this.#tell({ stage: 'present', asset: id, version: record.version });
    return record;
  }

  /** False where a program has been added to the asset since it was fetched. */
  #hasAllParts(id: AssetId, record: AssetRecord): boolean {
    const { source } = ASSETS[id];
    return source.kind !== 'closure' || hasLaunchers(join(this.#cache, record.directory), source.launchers ?? {});
  }

  /** The initrd and its digest; undefined without busybox. */
  #shellInitrd(from: AssetId): { readonly packed: Buffer; readonly version: string } | undefined {
    if (presentAsset(this.#cache, from) === undefined) return undefined;
    const packed = busyboxInitrd({ busybox: readFileSync(assetPath(from, this.#cache)) });
    return { packed, version: createHash('sha256').update(packed).digest('hex').slice(0, 16) };
  }

  async #one(id: AssetId): Promise<AssetRecord> {
    const asset = ASSETS[id];
    return asset.source.kind === 'shell-initrd'
      ? await this.#build(id, asset, asset.source.busybox)
      : await this.#fetch(id, asset, asset.source);
  }

  async #fetch(
    id: AssetId,
    asset: Asset,
    source: Exclude<AssetSource, { kind: 'shell-initrd' }>,
  ): Promise<AssetRecord> {
    const apt = await this.#apt(source.group);
    let resolved = await resolve(id, source, apt);
    const present = presentAsset(this.#cache, id);
    const downloads = join(this.#cache, 'downloads', id);
    mkdirSync(downloads, { recursive: true });
    const absent = new Set<string>();
    let debs: string[] | undefined;
    while (debs === undefined) {
      const { version } = resolved;
      if (present?.version === version && this.#hasAllParts(id, present)) {
        this.#tell({ stage: 'present', asset: id, version });
        return present;
      }
      this.#tell({ stage: 'downloading', asset: id, version });
      try {
        debs = await apt.download(resolved.packages, downloads);
      } catch (error) {
        // A mirror may lag behind its indexes: an older version does as well.
        if (source.kind !== 'packages' || !isAbsent(error) || absent.size === OLDER_VERSIONS) throw error;
        absent.add(version);
        resolved = await resolve(id, source, apt, absent);
      }
    }
    const { version, packages } = resolved;
    this.#tell({ stage: 'unpacking', asset: id, version });
    const directory = this.#directory(id, version);
    await inPlace(join(this.#cache, directory), async (folder) => {
      await unpack(debs, folder, source.without ?? []);
      if (source.kind !== 'closure') return;
      writeLaunchers(folder, source.launchers ?? {}, id);
      if (source.system === undefined) return;
      await settle(folder, debs);
      writeSystemLaunchers(folder, source.system.programs, source.system.environment);
    });
    const records = await Promise.all(
      packages.map(async (offer, index) => await packageRecord(offer, debs[index] ?? '')),
    );
    const record = this.#record(id, asset, version, directory, records);
    rmSync(downloads, { recursive: true, force: true });
    return record;
  }

  async #build(id: AssetId, asset: Asset, from: AssetId): Promise<AssetRecord> {
    const built = this.#shellInitrd(from);
    if (built === undefined) throw missingAssets([from], this.#cache);
    const { packed, version } = built;
    const directory = this.#directory(id, version);
    await inPlace(join(this.#cache, directory), (folder) => writeFileSync(join(folder, 'busybox-shell.cpio'), packed));
    return this.#record(id, asset, version, directory, presentAsset(this.#cache, from)?.packages ?? []);
  }

  /** A colon would end a path in LD_LIBRARY_PATH and its like. */
  #directory(id: AssetId, version: string): string {
    return join('assets', id, version.replaceAll(':', '_'));
  }

  #record(
    id: AssetId,
    asset: Asset,
    version: string,
    directory: string,
    packages: AssetRecord['packages'],
  ): AssetRecord {
    const file = findFile(join(this.#cache, directory), asset.file, basename(directory));
    const { size } = statSync(join(this.#cache, directory, file));
    const record = { id, version, directory, file, size, packages, fetched: new Date().toISOString() };
    writeManifest(this.#cache, withAsset(readManifest(this.#cache), record));
    // Older versions stay: images and hosts may be made of them.
    this.#tell({ stage: 'done', asset: id, version });
    return record;
  }

  async #apt(group: SuiteGroup): Promise<PrivateApt> {
    const known = this.#groups.get(group);
    if (known !== undefined) return known;
    this.#tell({ stage: 'reading indexes', group });
    const apt = new PrivateApt(join(this.#cache, 'apt', group), group);
    await apt.update();
    this.#groups.set(group, apt);
    return apt;
  }
}

/** Whether a mirror answered that it has no such file. */
function isAbsent(error: unknown): boolean {
  return error instanceof UnpinError && error.code === 'ASSET_UNAVAILABLE' && /\b404\b/.test(String(error.parts.found));
}

async function packageRecord({ name, version }: Offer, deb: string) {
  return { name, version, sha256: await sha256(deb) };
}
