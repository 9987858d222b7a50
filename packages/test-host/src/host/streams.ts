/** The command's input and output, joined with the caller's streams. */
import type { Readable, Writable } from 'node:stream';
import type { TerminalSize } from './guest-scripts.ts';
import type { TestHostOptions } from './options.ts';

/** Where the command's streams lead; undefined is nowhere. */
export interface HostStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  readonly terminal: TerminalSize | undefined;
}

/** Rows and columns where a terminal does not know its own. */
const USUAL_SIZE: TerminalSize = { rows: 24, columns: 80 };

export function resolveStreams(
  options: Pick<TestHostOptions, 'stdin' | 'stdout' | 'stderr' | 'terminal'>,
): HostStreams {
  const stdin = pick<Readable>(options.stdin, process.stdin);
  const stdout = pick<Writable>(options.stdout, process.stdout);
  const stderr = pick<Writable>(options.stderr, process.stderr);
  const interactive =
    stdin === process.stdin && stdout === process.stdout && process.stdin.isTTY && process.stdout.isTTY;
  const own = interactive
    ? { rows: process.stdout.rows ?? USUAL_SIZE.rows, columns: process.stdout.columns ?? USUAL_SIZE.columns }
    : undefined;
  return { stdin, stdout, stderr, terminal: options.terminal === 'none' ? undefined : (options.terminal ?? own) };
}

function pick<T>(given: T | 'ignore' | undefined, own: T): T | undefined {
  return given === 'ignore' ? undefined : (given ?? own);
}

/**
 * Hands `from` to `to` while the command runs; the returned function takes it back, so that a terminal is as it was and
 * our own standard input keeps no process alive. The end of `from` is the end of `to` where `end` says so.
 */
export function feed(from: Readable | undefined, to: Writable, end: boolean): () => void {
  if (from === undefined) {
    if (end) to.end();
    return () => {};
  }
  const terminal = from === process.stdin && process.stdin.isTTY && !end ? process.stdin : undefined;
  terminal?.setRawMode(true);
  from.pipe(to, { end });
  return () => {
    from.unpipe(to);
    terminal?.setRawMode(false);
    if (from !== process.stdin) return;
    process.stdin.pause();
    // A file has none; a pipe or a terminal would keep the process alive.
    if ('unref' in process.stdin) process.stdin.unref();
  };
}

/** Passes on all of `from`. Resolves at its end, or when nobody reads `to` any more. `to` is not ended. */
export async function passOn(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (from === undefined) return;
  if (to === undefined) {
    from.resume();
    return;
  }
  for await (const data of from) {
    if (!to.writable) return;
    if (to.write(data)) continue;
    await new Promise<void>((resolve) => {
      const on = (): void => {
        to.off('drain', on).off('close', on).off('error', on);
        resolve();
      };
      to.once('drain', on).once('close', on).once('error', on);
    });
  }
}
