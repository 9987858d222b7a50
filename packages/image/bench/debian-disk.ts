/** A disk as Debian's cloud images are: ESP, a root file system with some hundred megabytes of programs, records of dpkg. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { assetPath } from '../test/assets.ts';
import type { Recipe } from '../test/image-set/build.ts';
import { type KernelId, kernel } from '../test/image-set/kernels.ts';
import { espAndRoot } from '../test/image-set/layouts.ts';
import { merge, type Tree } from '../test/image-set/tree.ts';

/** Packed by lz4, by zstd, by xz. */
export const DISK_KERNELS: readonly KernelId[] = ['6.1', '6.12', '6.1-generic'];

const DISK_MIB = 2048;
/** What the other partitions, and tables, take of it. */
const OTHERS_MIB = 35;

/** Real programs and libraries, from a fetched closure; the reason where there is none. */
export function diskContents(): { readonly tree: Tree; readonly reason: string | undefined } {
  const program = assetPath('disk-tools');
  if (program === undefined) return { tree: {}, reason: 'needs disk-tools: unpin test-host fetch' };
  const root = dirname(dirname(program));
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const tree = Object.fromEntries(files.map((path) => [`opt/tools/${relative(root, path)}`, readFileSync(path)]));
  const own = { 'etc/debian_version': '12.8\n', 'var/lib/dpkg/status': STATUS, 'var/lib/dpkg/arch': 'amd64\n' };
  return { tree: merge(tree, own), reason: undefined };
}

const STATUS = Array.from(
  { length: 400 },
  (_, index) => `Package: package-${index}
Status: install ok installed
Priority: optional
Section: misc
Installed-Size: ${index}
Maintainer: Nobody <nobody@example.org>
Architecture: amd64
Version: 1.${index}-1
Description: a package of the disk, number ${index}
`,
).join('\n');

export function debianDisk(id: KernelId): Recipe {
  const { table, parts } = espAndRoot('gpt', [kernel(id)]);
  const { tree } = diskContents();
  const filled = parts.map((part) =>
    part.use === 'linux' ? { ...part, mib: DISK_MIB - OTHERS_MIB, tree: merge(tree, part.tree) } : part,
  );
  return { id: `bench-${id}`, format: 'qcow2-zlib', disk: { table, parts: filled } };
}
