import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assetProgram } from '../../../image/test/assets.ts';

/** Makes a raw disk that is one ext4 filesystem with these files. @param scratch a folder to lay them out in */
export function makeDisk(path: string, scratch: string, files: Readonly<Record<string, Uint8Array>>): void {
  const mke2fs = assetProgram('disk-tools', 'mke2fs');
  if (mke2fs === undefined) throw new Error('disk-tools were not fetched');
  const tree = join(scratch, 'tree');
  rmSync(tree, { recursive: true, force: true });
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    writeFileSync(join(tree, name), bytes);
  }
  rmSync(path, { force: true });
  execFileSync(mke2fs, ['-q', '-t', 'ext4', '-d', tree, path, '8M'], { timeout: 60_000 });
}
