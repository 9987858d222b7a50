/** The C compiler that the table is compared with: the fetched one with its own kernel headers, else the machine's. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

export interface Compiler {
  readonly program: string;
  readonly from: 'asset' | 'machine';
}

interface Manifest {
  readonly assets?: Readonly<Record<string, { readonly directory: string; readonly file: string }>>;
}

/** The compiler, or in words why there is none. */
export function findCompiler(): Compiler | string {
  const asset = fetched('gcc');
  if (asset !== undefined) return { program: asset, from: 'asset' };
  const next = 'unpin test-host fetch gcc';
  if (spawnSync('gcc', ['--version'], { stdio: 'ignore', timeout: 10_000 }).status !== 0)
    return `gcc is not on this machine, nor is its asset: ${next}`;
  // Asked of itself: it knows where its headers are.
  const { status } = spawnSync('gcc', ['-E', '-x', 'c', '-'], {
    input: '#include <linux/kvm.h>\n#include <stdio.h>\n',
    timeout: 10_000,
  });
  return status === 0
    ? { program: 'gcc', from: 'machine' }
    : `the headers of the kernel or of the C library are not on this machine, nor is the asset gcc: ${next}`;
}

/** Path of a fetched asset. Read from the cache's manifest as a file: no room is imported for it. */
function fetched(id: string): string | undefined {
  const manifest = join(cacheFolder(), 'manifest.json');
  if (!existsSync(manifest)) return undefined;
  const entry = (JSON.parse(readFileSync(manifest, 'utf8')) as Manifest).assets?.[id];
  const path = entry && join(cacheFolder(), entry.directory, entry.file);
  return path !== undefined && existsSync(path) ? path : undefined;
}

function cacheFolder(): string {
  const own = process.env['UNPIN_CACHE'];
  if (own !== undefined && isAbsolute(own)) return own;
  const xdg = process.env['XDG_CACHE_HOME'];
  return xdg !== undefined && isAbsolute(xdg) ? join(xdg, 'unpin') : join(homedir(), '.cache', 'unpin');
}
