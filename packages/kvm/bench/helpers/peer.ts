import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

/** Why there is no C to compare with, or undefined. */
export function noPeer(): string | undefined {
  if (!existsSync('/dev/kvm')) return 'no /dev/kvm on this machine';
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore', timeout: 10_000 });
    return undefined;
  } catch {
    return 'gcc is not installed';
  }
}

/** A C program that measures one round for each line it is sent, and answers the seconds it took. */
export class Peer {
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  #answered: ((line: string) => void) | null = null;
  #failed: ((error: Error) => void) | null = null;

  /** Builds `source`, in this folder, with gcc -O2. */
  constructor(source: string, args: readonly string[]) {
    this.#folder = mkdtempSync(join(tmpdir(), 'bench-'));
    const program = join(this.#folder, 'peer');
    const path = join(import.meta.dirname, '..', source);
    execFileSync('gcc', ['-O2', '-Wall', '-pthread', path, '-o', program], { timeout: 60_000 });
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the peer has no output');
    this.#lines = createInterface(stdout);
    this.#lines.on('line', (line) => this.#answered?.(line));
    this.#child.on('exit', (code) => this.#failed?.(new Error(`the peer ended with ${code}`)));
  }

  /** One round: seconds. Rejects after a minute. */
  async round(): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#answered = resolve;
    this.#failed = reject;
    const limit = setTimeout(() => reject(new Error('the peer takes longer than a minute')), 60_000);
    this.#child.stdin?.write('\n');
    try {
      return Number(await promise);
    } finally {
      clearTimeout(limit);
    }
  }

  close(): void {
    this.#failed = null;
    this.#lines.close();
    this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true });
  }
}
