/** XFS filesystems made by mkfs.xfs, filled from a prototype file. */
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskTool } from '../tools.ts';

/** The least that mkfs.xfs makes. Images are sparse files. */
export const XFS_BYTES = 300 * 2 ** 20;

/** A folder by the names in it: files, links as text, and folders. Names have no spaces. */
export interface XfsTree {
  readonly [name: string]: Uint8Array | string | XfsTree;
}

/** @param options mkfs.xfs's */
export function xfsImage(
  folder: string,
  name: string,
  tree: XfsTree,
  options: readonly string[] = [],
  bytes = XFS_BYTES,
): string {
  const path = join(folder, name);
  const inside = join(folder, `${name}.files`);
  mkdirSync(inside);
  const lines = ['-', '0 0', 'd--755 0 0'];
  const known = new Map<Uint8Array, string>();
  const fileOf = (content: Uint8Array): string => {
    const file = known.get(content) ?? join(inside, `${known.size}`);
    if (!known.has(content)) writeFileSync(file, content);
    known.set(content, file);
    return file;
  };
  const put = (entries: XfsTree): void => {
    for (const [name, entry] of Object.entries(entries)) {
      if (typeof entry === 'string') lines.push(`${name} l--777 0 0 ${entry}`);
      else if (entry instanceof Uint8Array) lines.push(`${name} ---644 0 0 ${fileOf(entry)}`);
      else {
        lines.push(`${name} d--755 0 0`);
        put(entry);
      }
    }
    lines.push('$');
  };
  put(tree);
  const prototype = join(inside, 'prototype');
  writeFileSync(prototype, `${lines.join('\n')}\n`);
  writeFileSync(path, '');
  truncateSync(path, bytes);
  diskTool('mkfs.xfs', ['-q', '-f', '-p', prototype, ...options, path]);
  rmSync(inside, { recursive: true });
  return path;
}
