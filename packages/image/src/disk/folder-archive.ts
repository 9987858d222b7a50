import { realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { UnpinError } from '@unpin/contract/errors';
import { FormatError } from '../format-error.ts';
import { openFileSource } from '../source/file-source.ts';
import type { Archive } from './archive.ts';
import type { Opening } from './opening.ts';

/** A folder as files by name. Nothing in it leads out of it: a link to elsewhere is refused. */
export function folderArchive(folder: string, opening: Opening): Archive {
  const top = realpathSync(folder);
  return {
    name: folder,
    file: async (name) => {
      if (name.split('/').some((part) => part === '..' || part === '.' || part === '')) return undefined;
      let real: string;
      try {
        real = realpathSync(join(top, name));
      } catch {
        return undefined;
      }
      if (!real.startsWith(top + sep)) throw new FormatError('escape', folder, 0, `${name} is a link to ${real}`);
      try {
        return opening.layer(openFileSource(real, { refuseLink: true, needed: 'a part of an image' }), 'owned', 'part');
      } catch (cause) {
        if (!(cause instanceof UnpinError)) throw cause;
        throw new FormatError('unreadable', folder, 0, cause.message);
      }
    },
  };
}
