/** Node's compiled code, kept across test hosts: an emulated CPU takes minutes to compile what a real one does in a second. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../cache/cache-folder.ts';

/** What a test host is told so that Node programs in it start fast. */
export interface KeptCode {
  readonly env: { readonly NODE_COMPILE_CACHE: string };
  readonly writable: readonly string[];
}

/** Makes the folder. The cache is Node's own: keyed by version and source, safe to delete, safe to share. */
export function keptCode(): KeptCode {
  const folder = join(cacheFolder(), 'compiled');
  mkdirSync(folder, { recursive: true });
  return { env: { NODE_COMPILE_CACHE: folder }, writable: [folder] };
}
