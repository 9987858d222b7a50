import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

const SOURCE = join(import.meta.dirname, 'native.c');
/** static-pie puts the program far from where the sequences' memory is. */
const OPTIONS = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-static-pie'];

/** The host has no processor or no compiler for the native oracle. Tests skip with the message. */
export class NoNativeOracle extends Error {
  override readonly name = 'NoNativeOracle';
}

/** native.c as a program: compiled once for each text of it, kept in the cache folder. Throws NoNativeOracle. */
export function nativeProgram(): string {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new NoNativeOracle(`the native oracle needs Linux on x86-64, this is ${process.platform} on ${process.arch}`);
  const source = readFileSync(SOURCE);
  const key = createHash('sha256').update(source).update(OPTIONS.join(' ')).digest('hex').slice(0, 16);
  const folder = join(cacheRoot(), 'x86-oracle');
  const program = join(folder, `native-${key}`);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const fresh = `${program}.${process.pid}`;
  try {
    execFileSync('gcc', [...OPTIONS, '-o', fresh, SOURCE], { timeout: 60_000, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new NoNativeOracle('the native oracle needs gcc, and there is none');
    throw error;
  }
  // By name only when it is whole: another process may be building the same.
  renameSync(fresh, program);
  return program;
}

/** As everything else that is built or fetched: `$UNPIN_CACHE`, else `$XDG_CACHE_HOME/unpin`, else `~/.cache/unpin`. */
function cacheRoot(): string {
  const { UNPIN_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  if (own !== undefined && isAbsolute(own)) return own;
  return xdg !== undefined && isAbsolute(xdg) ? join(xdg, 'unpin') : join(homedir(), '.cache', 'unpin');
}
