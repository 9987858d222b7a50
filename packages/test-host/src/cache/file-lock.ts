/** One process at a time: a lock on a file that the kernel drops when its holder is gone, however it went. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Milliseconds until a person is told that somebody else holds the lock. */
const PATIENCE_MS = 500;

/**
 * Runs `work` while holding flock(2) on `path`, which is made where missing. Waits as long as another holds it;
 * `onWait` is called once when that takes longer than a moment.
 *
 * Node has no flock(2): flock(1) of util-linux (essential in Debian) takes the lock and a shell keeps it until its
 * standard input closes, which it also does when we die.
 */
export async function withFileLock<T>(path: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const holder = spawn('flock', ['--exclusive', path, 'sh', '-c', 'echo; read _'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = setTimeout(onWait, PATIENCE_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('error', reject);
      holder.once('exit', (code) => reject(new Error(`flock ${path} ended with ${code}`)));
    });
  } finally {
    clearTimeout(waiting);
  }
  try {
    return await work();
  } finally {
    const gone = new Promise((resolve) => holder.once('exit', resolve));
    holder.stdin.end();
    if (holder.exitCode === null) await gone;
  }
}
