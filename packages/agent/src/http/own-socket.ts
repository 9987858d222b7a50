import { mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { UnpinError } from '@unpin/contract';

/** Makes way for this agent's socket: what a dead agent left is removed, a living one is CONFLICT. */
export async function freeSocket(path: string): Promise<void> {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UnpinError('IO', { subject: dirname(path), found: (error as Error).message, cause: error });
  }
  if (await answers(path))
    throw new UnpinError('CONFLICT', {
      subject: path,
      found: 'another agent that answers',
      needed: 'one agent a state directory',
      next: 'stop the other agent, or name another directory with --state-dir',
    });
  rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once('connect', () => {
    socket.destroy();
    resolve(true);
  });
  socket.once('error', () => resolve(false));
  return promise;
}
