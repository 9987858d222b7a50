/** Node's compiled code, shared with test hosts: an emulated CPU takes minutes to compile what a real one does in a second. */
import { join } from 'node:path';
import { cacheFolder } from '../cache/cache-folder.ts';

/**
 * Environment that makes Node keep compiled code in unpin's cache folder, and find it there again inside a test host,
 * which sees the folder as it was at its start. The cache is Node's own: keyed by version and source, safe to delete.
 */
export function keptCode(): { readonly NODE_COMPILE_CACHE: string } {
  return { NODE_COMPILE_CACHE: join(cacheFolder(), 'compiled') };
}
