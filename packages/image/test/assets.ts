/** Where the kernels are that the test host's fetcher left on this machine. Read as a file: no room is imported for it. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

interface Manifest {
  readonly assets?: Readonly<Record<string, { readonly directory: string; readonly file: string }>>;
}

/** Where the fetcher keeps what it fetched. */
export function cacheFolder(): string {
  const own = process.env['UNPIN_CACHE'];
  if (own !== undefined && isAbsolute(own)) return own;
  const xdg = process.env['XDG_CACHE_HOME'];
  return xdg !== undefined && isAbsolute(xdg) ? join(xdg, 'unpin') : join(homedir(), '.cache', 'unpin');
}

/** Path of a fetched asset, undefined where it was not fetched. */
export function assetPath(id: string): string | undefined {
  const folder = cacheFolder();
  const manifest = join(folder, 'manifest.json');
  if (!existsSync(manifest)) return undefined;
  const entry = (JSON.parse(readFileSync(manifest, 'utf8')) as Manifest).assets?.[id];
  const path = entry && join(folder, entry.directory, entry.file);
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** Path of one of the programs of an asset that has several, undefined where it was not fetched. */
export function assetProgram(id: string, program: string): string | undefined {
  const file = assetPath(id);
  const path = file && join(dirname(file), program);
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** For a test's options: runs where the asset is, else skips with the reason. */
export function needsAsset(id: string): { skip: string | false } {
  return { skip: assetPath(id) === undefined && `asset ${id} was not fetched to this machine` };
}
