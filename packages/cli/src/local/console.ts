import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** Ctrl-] leaves the console; the guest goes on, or ends with a local run. */
const LEAVE = 0x1d;
const NEWLINE = 0x0a;

export interface ConsoleOptions {
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly output: Writable;
  readonly onFirstByte?: () => void;
  readonly onLeave?: () => void;
}

export interface AttachedConsole {
  readonly closed: Promise<void>;
  /** Waits for what the guest printed last; leaves the cursor at the start of a line. */
  close(): Promise<void>;
}

/** Joins a terminal to a VM's console socket: raw keys go in, bytes come out, Ctrl-] leaves. */
export function attachConsole(socketPath: string, options: ConsoleOptions): AttachedConsole {
  const { input, output } = options;
  const socket = connect(socketPath);
  let first = true;
  let midLine = false;
  socket.on('data', (chunk: Buffer) => {
    if (first) options.onFirstByte?.();
    first = false;
    midLine = chunk.at(-1) !== NEWLINE;
    output.write(chunk);
  });
  const keys = (chunk: Buffer): void => {
    const leave = input.isTTY === true ? chunk.indexOf(LEAVE) : -1;
    if (leave === -1) {
      socket.write(chunk);
      return;
    }
    if (leave > 0) socket.write(chunk.subarray(0, leave));
    options.onLeave?.();
    socket.end();
  };
  if (input.isTTY === true) input.setRawMode?.(true);
  input.on('data', keys);
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  }).finally(() => {
    input.off('data', keys);
    if (input.isTTY === true) input.setRawMode?.(false);
    input.pause();
    if ('unref' in input && typeof input.unref === 'function') input.unref();
  });
  return {
    closed,
    async close() {
      // What the guest printed last may still be on its way: the VMM closes the socket when it has sent all.
      const late = setTimeout(() => socket.destroy(), 1000);
      await closed;
      clearTimeout(late);
      if (midLine) output.write('\n');
    },
  };
}
