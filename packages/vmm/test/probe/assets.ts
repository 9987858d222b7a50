/** Where the test host's fetcher left its files on this machine. Read as a file: no room is imported for it. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

interface Manifest {
  readonly assets?: Readonly<Record<string, { readonly directory: string; readonly file: string }>>;
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

function cacheFolder(): string {
  const own = process.env['UNPIN_CACHE'];
  if (own !== undefined && isAbsolute(own)) return own;
  const xdg = process.env['XDG_CACHE_HOME'];
  return xdg !== undefined && isAbsolute(xdg) ? join(xdg, 'unpin') : join(homedir(), '.cache', 'unpin');
}
