/** Filesystems made by their own tools, each in a file of the partition's size, filled without mounting. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskTool } from '../tools.ts';
import { FAT_SERIAL } from './ids.ts';
import { type Tree, writeTree } from './tree.ts';

export type FilesystemSpec =
  | {
      readonly kind: 'ext';
      /** mke2fs's own type: ext2, ext3, ext4. */
      readonly type: 'ext2' | 'ext3' | 'ext4';
      /** Features to switch, in mke2fs's words. */
      readonly features?: string;
      readonly blockBytes: 1024 | 2048 | 4096;
      readonly inodeBytes?: 128 | 256;
      readonly uuid: string;
      readonly label?: string;
    }
  | {
      readonly kind: 'xfs';
      /** In mkfs.xfs's words. */
      readonly options?: readonly string[];
      readonly uuid: string;
      readonly label?: string;
    }
  | { readonly kind: 'fat'; readonly bits: 12 | 16 | 32; readonly label?: string }
  /** Bytes from its start on, no filesystem that is made here: what is recognised, and stands in the way. */
  | { readonly kind: 'header'; readonly bytes: Uint8Array };

/** Makes `path`, a sparse file of `size` bytes that is the filesystem. */
export function makeFilesystem(path: string, size: number, spec: FilesystemSpec, tree: Tree): void {
  emptyFile(path, size);
  if (spec.kind === 'header') {
    writeAt(path, spec.bytes);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'unpin-tree-'));
  try {
    writeTree(folder, tree);
    if (spec.kind === 'ext') makeExt(path, spec, folder);
    else if (spec.kind === 'xfs') makeXfs(path, spec, folder, tree);
    else makeFat(path, spec, folder, tree);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Spec<K extends FilesystemSpec['kind']> = Extract<FilesystemSpec, { kind: K }>;

function makeExt(path: string, spec: Spec<'ext'>, folder: string): void {
  const args = ['-q', '-F', '-t', spec.type, '-b', `${spec.blockBytes}`, '-I', `${spec.inodeBytes ?? 256}`];
  args.push('-U', spec.uuid, '-E', `hash_seed=${spec.uuid},root_owner=0:0,lazy_itable_init=1`, '-d', folder);
  if (spec.features !== undefined) args.push('-O', spec.features);
  if (spec.label !== undefined) args.push('-L', spec.label);
  diskTool('mke2fs', [...args, path], { environment: { E2FSPROGS_FAKE_TIME: '1700000000' } });
}

function makeXfs(path: string, spec: Spec<'xfs'>, folder: string, tree: Tree): void {
  const prototype = `${path}.proto`;
  writeFileSync(prototype, xfsPrototype(folder, tree));
  const args = ['-q', '-f', '-m', `uuid=${spec.uuid}`, '-p', prototype, ...(spec.options ?? [])];
  if (spec.label !== undefined) args.push('-L', spec.label);
  diskTool('mkfs.xfs', [...args, path]);
  rmSync(prototype);
}

/** The list that mkfs.xfs fills a filesystem from: names, modes, and where the content is. Names have no spaces. */
function xfsPrototype(folder: string, tree: Tree): string {
  const lines = ['-', '0 0', 'd--755 0 0'];
  const list = (at: string): void => {
    const prefix = at === '' ? '' : `${at}/`;
    const inside = Object.keys(tree).filter((path) => path.startsWith(prefix));
    for (const name of new Set(inside.map((path) => path.slice(prefix.length).split('/')[0] ?? ''))) {
      const file = tree[`${prefix}${name}`];
      if (file === undefined) {
        lines.push(`${name} d--755 0 0`);
        list(`${prefix}${name}`);
        lines.push('$');
      } else if (typeof file === 'string' || file instanceof Uint8Array)
        lines.push(`${name} ---644 0 0 ${join(folder, prefix, name)}`);
      else lines.push(`${name} l--777 0 0 ${file.link}`);
    }
  };
  list('');
  return `${lines.join('\n')}\n$\n`;
}

function makeFat(path: string, spec: Spec<'fat'>, folder: string, tree: Tree): void {
  const args = ['-F', `${spec.bits}`, '-i', FAT_SERIAL, '--invariant'];
  if (spec.label !== undefined) args.push('-n', spec.label);
  diskTool('mkfs.vfat', [...args, path]);
  const tops = new Set(Object.keys(tree).map((name) => join(folder, name.split('/')[0] ?? '')));
  if (tops.size > 0) diskTool('mcopy', ['-s', '-Q', '-i', path, ...tops, '::/']);
}

/** A file of `size` bytes that takes no room. */
export function emptyFile(path: string, size: number): void {
  const descriptor = openSync(path, 'w');
  ftruncateSync(descriptor, size);
  closeSync(descriptor);
}

export function writeAt(path: string, bytes: Uint8Array, offset = 0): void {
  const descriptor = openSync(path, 'r+');
  try {
    let done = 0;
    while (done < bytes.length) done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done);
  } finally {
    closeSync(descriptor);
  }
}
