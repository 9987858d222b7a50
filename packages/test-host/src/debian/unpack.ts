/** Turns downloaded packages into a folder of the cache, at once or not at all. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UnpinError } from '@unpin/contract/errors';
import { runPipe } from '../run-tool.ts';

const UNPACK_MS = 300_000;

/** Puts what `fill` writes into a fresh folder in the place of `target`: nobody sees it half done. */
export async function inPlace(target: string, fill: (folder: string) => Promise<void> | void): Promise<void> {
  const fresh = `${target}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  await fill(fresh);
  mkdirSync(dirname(target), { recursive: true });
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
}

/**
 * The contents of packages, without their scripts, in one folder. What is below the folders of `without` is never
 * written: a kernel's modules are most of its package.
 */
export async function unpack(debs: readonly string[], folder: string, without: readonly string[]): Promise<void> {
  const left = without.map((path) => `--exclude=./${path}`);
  for (const deb of debs)
    await runPipe(
      ['dpkg-deb', '--fsys-tarfile', deb],
      [
        'tar',
        '--extract',
        '--file=-',
        '--directory',
        folder,
        '--no-same-owner',
        '--anchored',
        '--no-wildcards',
        ...left,
      ],
      { timeoutMs: UNPACK_MS },
    );
}

/** The first file below `folder` whose relative path matches. Throws ASSET_UNAVAILABLE: the package has changed its form. */
export function findFile(folder: string, pattern: RegExp, subject: string): string {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
  const found = paths.find((path) => pattern.test(path));
  if (found !== undefined) return found;
  throw new UnpinError('ASSET_UNAVAILABLE', { subject, found: `no file like ${pattern.source} in its packages` });
}

/** Hexadecimal SHA-256 of a file. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
