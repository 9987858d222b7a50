import { closeSync, constants, existsSync, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { UnpinError } from '@unpin/contract/errors';
import { FormatError } from '../format-error.ts';
import type { ByteSource } from '../source/byte-source.ts';

/** A file that a person named, opened for the process that parses it. */
export interface NamedFile {
  readonly name: string;
  readonly bytes: number;
  readonly identity: string;
  /** Its first bytes, by which it is told how much time it may take. */
  readonly head: Uint8Array;
  readonly medium:
    | { readonly kind: 'descriptor'; readonly descriptor: number }
    | { readonly kind: 'remote'; readonly source: ByteSource }
    /** A folder that is an OCI image layout; its files are opened when they are asked for. */
    | { readonly kind: 'folder'; readonly path: string };
  close(): void;
}

const HEAD = 16;
/** OCI image specification, "Image Layout": this file makes a folder one. */
const LAYOUT_FILE = 'oci-layout';
/** Of a web server nothing smaller than this is asked, in bytes. */
const REMOTE_BLOCK = 2 ** 17;
const REMOTE_CACHE = 2 ** 25;
const REMOTE_AHEAD = 2 ** 21;

export function isAddress(name: string): boolean {
  return /^https?:\/\//i.test(name);
}

/**
 * Opens a path or an http(s) address.
 * @param needed for the error: what was looked for
 * @throws UnpinError FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function openNamed(name: string, needed: string): Promise<NamedFile> {
  if (isAddress(name)) return await openAddress(name, needed);
  return isLayout(name) ? openFolder(name) : openPath(name, needed);
}

function isLayout(path: string): boolean {
  return existsSync(join(path, LAYOUT_FILE));
}

function openFolder(path: string): NamedFile {
  const identity = realpathSync(path);
  return {
    name: path,
    bytes: 0,
    identity,
    head: Buffer.alloc(0),
    medium: { kind: 'folder', path: identity },
    close: () => undefined,
  };
}

async function openAddress(address: string, needed: string): Promise<NamedFile> {
  // Only for who needs them: what reads from the network is loaded by nobody else.
  const { cachedSource } = await import('../source/cached-source.ts');
  const { openHttpSource } = await import('../source/http-source.ts');
  try {
    const source = cachedSource(await openHttpSource(address), {
      blockBytes: REMOTE_BLOCK,
      cacheBytes: REMOTE_CACHE,
      readAheadBytes: REMOTE_AHEAD,
    });
    const head = await source.read(0, Math.min(HEAD, source.size));
    const { name, size } = source;
    return { name, bytes: size, identity: name, head, medium: { kind: 'remote', source }, close: () => undefined };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UnpinError('FILE_UNREADABLE', { subject: error.what, found: error.message, needed, cause: error });
  }
}

/** Without blocking, so that a FIFO can't hold the caller up; judged by its descriptor. */
function openPath(path: string, needed: string): NamedFile {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(descriptor);
    if (!status.isFile())
      throw new UnpinError('FILE_UNREADABLE', { subject: path, found: 'not a regular file', needed });
    const head = Buffer.alloc(HEAD);
    const got = readSync(descriptor, head, 0, HEAD, 0);
    const open = descriptor;
    return {
      name: path,
      bytes: status.size,
      identity: `${status.dev}:${status.ino}`,
      head: head.subarray(0, got),
      medium: { kind: 'descriptor', descriptor: open },
      close: () => closeSync(open),
    };
  } catch (cause) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw cause instanceof UnpinError ? cause : openError(path, needed, cause);
  }
}

function openError(path: string, needed: string, cause: unknown): UnpinError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new UnpinError('FILE_NOT_FOUND', { subject: path, needed, cause });
  const found = cause instanceof Error ? cause.message : String(cause);
  return new UnpinError('FILE_UNREADABLE', { subject: path, found, needed, cause });
}
