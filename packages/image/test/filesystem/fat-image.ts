/** FAT filesystems made by mkfs.vfat and filled by mtools. */
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { diskTool } from '../tools.ts';

export interface FatImage {
  readonly path: string;
  mkdir(path: string): void;
  /** Puts a file in, in place of one that is there. */
  put(path: string, content: Uint8Array): void;
  /** Puts many files into one folder. */
  putAll(folder: string, files: ReadonlyMap<string, Uint8Array>): void;
}

/** @param options mkfs.vfat's */
export function fatImage(folder: string, name: string, bytes: number, options: readonly string[]): FatImage {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, bytes);
  diskTool('mkfs.vfat', [...options, path]);
  // Names beyond ASCII need a locale that has them.
  const environment = { LC_ALL: 'C.UTF-8' };
  const into = join(folder, `${name}.files`);
  const putAll = (at: string, files: ReadonlyMap<string, Uint8Array>): void => {
    mkdirSync(into);
    for (const [file, content] of files) writeFileSync(join(into, file), content);
    const paths = Array.from(files.keys(), (file) => join(into, file));
    diskTool('mcopy', ['-o', '-i', path, ...paths, `::${at}`], { environment });
    rmSync(into, { recursive: true });
  };
  return {
    path,
    mkdir: (at) => void diskTool('mmd', ['-i', path, `::${at}`], { environment }),
    put: (at, content) => putAll(dirname(at), new Map([[basename(at), content]])),
    putAll,
  };
}
