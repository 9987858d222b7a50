import { basename, dirname, join } from 'node:path';
import { UnpinError } from '@unpin/contract/errors';
import { FormatError } from '../format-error.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { openFileSource } from '../source/file-source.ts';

/** A backing file as an image asks for it. */
export interface BackingRequest {
  /** As written in the image: a path, an address, `json:…`. The image's author chose it. */
  readonly name: string;
  /** As written; undefined where the image doesn't say. */
  readonly format: string | undefined;
  /** The source that asks for it. */
  readonly overlay: string;
}

/**
 * Finds the backing file that an image asks for; undefined: refused. A source that has `close` is closed with the disk.
 * @throws FormatError unreadable
 */
export type BackingResolver = (request: BackingRequest) => ByteSource | undefined | Promise<ByteSource | undefined>;

/** An image's author names no files of this machine: nothing is opened unless the person who runs this named it. */
export const refuseBacking: BackingResolver = () => undefined;

/** A file that a person named to stand behind an image. */
export interface NamedBacking {
  readonly path: string;
  /** As the image writes it; else the last part of both must be the same. */
  readonly name?: string;
}

/** Only those files, each for the image that asks for its name. */
export function namedBacking(files: readonly NamedBacking[]): BackingResolver {
  return ({ name }) => {
    const exact = files.find((file) => file.name === name);
    const same = exact ?? files.find((file) => file.name === undefined && basename(file.path) === basename(name));
    return same === undefined ? undefined : open(same.path, false);
  };
}

/**
 * Files of the overlay's own folder, for who trusts all that lies there. A name with any folder in it is refused even
 * if it leads back, and so is a link.
 */
export const backingInSameFolder: BackingResolver = ({ name, overlay }) => {
  const plain = name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
  return plain ? open(join(dirname(overlay), name), true) : undefined;
};

/** The first that knows the file. */
export function firstBacking(...resolvers: readonly BackingResolver[]): BackingResolver {
  return async (request) => {
    for (const resolve of resolvers) {
      const found = await resolve(request);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

function open(path: string, refuseLink: boolean): ByteSource {
  try {
    return openFileSource(path, { refuseLink, needed: 'a backing file' });
  } catch (cause) {
    if (!(cause instanceof UnpinError)) throw cause;
    throw new FormatError('unreadable', 'backing file', 0, cause.message);
  }
}
