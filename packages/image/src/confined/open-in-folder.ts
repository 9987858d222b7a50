import { realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { UnpinError } from '@unpin/contract/errors';
import { FormatError } from '../format-error.ts';
import { type FileSource, openFileSource } from '../source/file-source.ts';

/**
 * A file of a folder, by a relative name that somebody else chose; undefined where there is none. Nothing leads out of
 * the folder. @throws FormatError escape, unreadable
 */
export function openInFolder(folder: string, name: string): FileSource | undefined {
  if (name.split('/').some((part) => part === '..' || part === '.' || part === '')) return undefined;
  let real: string;
  try {
    real = realpathSync(join(folder, name));
  } catch {
    return undefined;
  }
  if (!real.startsWith(folder + sep)) throw new FormatError('escape', folder, 0, `${name} is a link to ${real}`);
  try {
    return openFileSource(real, { refuseLink: true, needed: 'a part of an image' });
  } catch (cause) {
    if (!(cause instanceof UnpinError)) throw cause;
    throw new FormatError('unreadable', folder, 0, cause.message);
  }
}
