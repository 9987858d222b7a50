/** Where fetched and built things are kept: outside every checkout, so that clones share them and `git clean` spares them. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** `$UNPIN_CACHE`, else `$XDG_CACHE_HOME/unpin`, else `~/.cache/unpin`. A relative path is ignored, as the XDG specification asks. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const own = env['UNPIN_CACHE'];
  if (own !== undefined && isAbsolute(own)) return own;
  const xdg = env['XDG_CACHE_HOME'];
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'unpin');
  return join(homedir(), '.cache', 'unpin');
}
