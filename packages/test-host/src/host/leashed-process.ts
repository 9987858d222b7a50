/** A child that cannot outlive us, however we end. */
import { type ChildProcess, spawn } from 'node:child_process';

/**
 * The first argument is a folder, the rest the command. Kills the command and removes the folder when file descriptor 3 reaches its end. It is a pipe that only we hold open: closing it, exiting,
 * crashing or being killed all end it. (A parent-death signal would hang on the thread that started the child.)
 */
const LEASH = `folder=$1; shift
"$@" 3<&- & child=$!
{ read -r _ <&3; kill -KILL "$child"; rm -rf "$folder"; } 2>/dev/null & leash=$!
exec 3<&-
wait "$child"; code=$?
kill "$leash" 2>/dev/null
exit "$code"`;

export interface Leashed {
  readonly process: ChildProcess;
  /** All that the command wrote to its standard error, up to 64 KiB. */
  readonly errors: () => string;
  /** Resolves with the exit code (128 + signal, as shells count) once it is gone. Rejects if it could not start. */
  readonly exited: Promise<number>;
  /** Ends it now. */
  readonly kill: () => void;
}

const ERRORS_LIMIT = 64 * 1024;

/**
 * Starts a program in a session of its own, so that a terminal's Ctrl-C is ours to handle.
 * `folder` is its private one: kill() removes it, and so does our own death; the program's end leaves it.
 */
export function startLeashed(folder: string, command: readonly string[], env: NodeJS.ProcessEnv): Leashed {
  const child = spawn('/bin/sh', ['-c', LEASH, 'sh', folder, ...command], {
    detached: true,
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr?.on('data', (data: Buffer) => {
    errors = (errors + data.toString('utf8')).slice(-ERRORS_LIMIT);
  });
  const leash = child.stdio[3];
  leash?.on('error', () => {});
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 128));
  });
  // Nobody may be waiting yet when it fails to start.
  exited.catch(() => {});
  return { process: child, errors: () => errors.trim(), exited, kill: () => leash?.destroy() };
}
