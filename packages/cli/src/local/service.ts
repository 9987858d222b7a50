import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type ErrorBody, UnpinError } from '@unpin/contract';

/** Longest wait for a service to say that it is ready, in milliseconds. */
const READY_MS = 30_000;
/** How long a service that was told to end may take, in milliseconds. */
const END_MS = 10_000;

/** A server of unpin as a process of its own: it prints `{"ready":…}` or `{"error":…}` as its first line. */
export class Service<Ready> {
  readonly ready: Ready;
  /** Resolves with the exit status when the process ends, for whatever reason. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ready: Ready, ended: Promise<number>) {
    this.#child = child;
    this.ready = ready;
    this.ended = ended;
  }

  /** Throws the catalogue error that the service itself printed. */
  static async start<Ready>(name: string, program: string, args: readonly string[]): Promise<Service<Ready>> {
    // Its own process group: Ctrl-C in this terminal reaches this process alone, which then ends the services in order.
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    const ended = new Promise<number>((resolve) => {
      child.once('exit', (code) => resolve(code ?? 1));
      child.once('error', () => resolve(1));
    });
    const line = await firstLine(child, name);
    const parsed = JSON.parse(line) as { ready?: Ready; error?: ErrorBody };
    if (parsed.error !== undefined) throw UnpinError.fromBody(parsed.error);
    if (parsed.ready === undefined) throw new UnpinError('INTERNAL', { subject: name, found: line });
    child.stdout.resume();
    return new Service(child, parsed.ready, ended);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), END_MS);
    await this.ended;
    clearTimeout(late);
  }
}

function firstLine(child: ChildProcess & { readonly stdout: NodeJS.ReadableStream }, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: child.stdout });
    const fail = (found: string): void => reject(new UnpinError('INTERNAL', { subject: name, found }));
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`no word in ${READY_MS / 1000} s`);
    }, READY_MS);
    lines.once('line', (line) => {
      clearTimeout(late);
      lines.close();
      resolve(line);
    });
    child.once('exit', (code) => {
      clearTimeout(late);
      fail(`it ended with status ${code} before it was ready`);
    });
  });
}
