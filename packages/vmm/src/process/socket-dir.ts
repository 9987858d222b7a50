import { mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { UnpinError } from '@unpin/contract/errors';

/** Longest path of a Unix socket (unix(7): 108 bytes with the NUL). */
const MAX_SOCKET_PATH = 107;

export interface SocketPaths {
  readonly api: string;
  readonly console: string;
}

/**
 * The directory of one VM, with its sockets' places free. Sockets of a VMM that was killed are removed.
 * @throws UnpinError USAGE for a path that is too long, ALREADY_EXISTS where a VM still answers, IO
 */
export async function prepareSocketDir(dir: string): Promise<SocketPaths> {
  const paths = { api: join(resolve(dir), 'api.sock'), console: join(resolve(dir), 'console.sock') };
  if (Buffer.byteLength(paths.console) > MAX_SOCKET_PATH)
    throw new UnpinError('USAGE', {
      subject: dir,
      found: `a socket path of ${Buffer.byteLength(paths.console)} bytes`,
      needed: `at most ${MAX_SOCKET_PATH}`,
    });
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    if (await answers(paths.api)) throw new UnpinError('ALREADY_EXISTS', { subject: dir, found: 'a VM that runs' });
    removeSockets(paths);
  } catch (cause) {
    if (cause instanceof UnpinError) throw cause;
    throw new UnpinError('IO', { subject: dir, found: cause instanceof Error ? cause.message : String(cause), cause });
  }
  return paths;
}

export function removeSockets(paths: SocketPaths): void {
  rmSync(paths.api, { force: true });
  rmSync(paths.console, { force: true });
}

async function answers(path: string): Promise<boolean> {
  return await new Promise<boolean>((done) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
