import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { answerLength, backgroundMessage, type Job, type Outcome, parseAnswer, runMessage } from './batch.ts';
import { nativeProgram } from './native-build.ts';

/** The longest that a batch may take: far above what its runaways cost (40 ms of CPU time each, a few in 10⁵ cases). */
const DEADLINE_MS = 60_000;

interface Waiting {
  readonly resolve: (outcomes: Outcome[]) => void;
  readonly reject: (error: Error) => void;
}

/** The host's own processor, in a process of its own. Batches may be handed in while earlier ones run. */
export class NativeOracle {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: Waiting[] = [];
  #pieces: Buffer[] = [];
  #bytes = 0;
  #ended: Error | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** Throws NoNativeOracle where it can't be. */
  constructor(background: Uint8Array) {
    this.#child = spawn(nativeProgram(), [], { stdio: 'pipe' });
    this.#child.stdout.on('data', (data: Buffer) => this.#receive(data));
    this.#child.once('error', (error) => this.#end(error));
    // A signal here is a sequence that escaped, into a system call as a rule: the last batch's seed tells which.
    this.#child.once('close', (code, signal) => this.#end(new Error(`the native oracle ended with ${signal ?? code}`)));
    this.#child.stdin.on('error', (error) => this.#end(error));
    this.#child.stdin.write(backgroundMessage(background));
  }

  /** Runs each job from the background; outcomes in the same order. Rejects when the process is gone or hangs. */
  run(jobs: readonly Job[]): Promise<Outcome[]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#watch();
      this.#child.stdin.write(runMessage(jobs));
    });
  }

  /** Ends the process. */
  close(): void {
    this.#child.stdin.end();
    this.#end(new Error('the native oracle is closed'));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #receive(data: Buffer): void {
    this.#pieces.push(data);
    this.#bytes += data.length;
    for (;;) {
      if (this.#pieces.length > 1 && (this.#pieces[0]?.length ?? 0) < 16) this.#pieces = [Buffer.concat(this.#pieces)];
      const [first] = this.#pieces;
      const length = first === undefined ? undefined : answerLength(first);
      if (length === undefined || this.#bytes < length) return;
      const all = Buffer.concat(this.#pieces);
      const rest = all.subarray(length);
      this.#pieces = rest.length === 0 ? [] : [rest];
      this.#bytes = rest.length;
      const waiting = this.#waiting.shift();
      this.#watch();
      // Aligned memory of its own: Node may have put a small answer anywhere in its pool.
      const answer = all.byteOffset % 8 === 0 ? all : Buffer.from(new Uint8Array(all).buffer);
      waiting?.resolve(parseAnswer(answer.subarray(0, length)));
    }
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#child.kill('SIGKILL');
      this.#end(new Error(`the native oracle took more than ${DEADLINE_MS / 1000} s`));
    }, DEADLINE_MS);
  }

  #end(error: Error): void {
    clearTimeout(this.#timer);
    this.#ended ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}
