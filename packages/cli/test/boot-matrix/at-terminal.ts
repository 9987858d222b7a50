import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { assetPath, type HostKernel, keptCode, startTestHost } from '@unpin/test-host';
import { whileHostsDie } from './while-hosts-die.ts';

const CLI = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** What a person waits for on the screen, and the keys that follow. */
export interface Step {
  readonly until: RegExp;
  readonly keys: string;
}

/**
 * `unpin run` at a terminal of a test host, its settings printed before and after. Answers all that was on the screen; it
 * is typed there as the steps say, each once what it waits for has come after the step before.
 */
export function runAtTerminal(host: HostKernel, steps: readonly Step[]): Promise<string> {
  return whileHostsDie(() => once(host, steps));
}

async function once(host: HostKernel, steps: readonly Step[]): Promise<string> {
  const stdin = new PassThrough();
  const screen = new Screen(steps, (keys) => stdin.write(keys));
  const kernel = assetPath('kernel-6.12-cloud');
  const run = ['run', kernel, '--initrd', assetPath('initrd-shell'), '--type', 'standard', '--timeout', '900'];
  const script = 'echo "before: $(stty -g)"; "$@"; echo "status: $?"; echo "after: $(stty -g)"';
  await startTestHost({
    kernel: host,
    command: ['sh', '-c', script, 'sh', process.execPath, CLI, ...run],
    env: { ...process.env, ...keptCode() },
    memoryMiB: 2560,
    terminal: { rows: 24, columns: 80 },
    stdin,
    stdout: screen,
    timeoutMs: 1_200_000,
  });
  return screen.text;
}

class Screen extends Writable {
  text = '';
  readonly #steps: Step[];
  readonly #type: (keys: string) => void;
  #seen = 0;

  constructor(steps: readonly Step[], type: (keys: string) => void) {
    super();
    this.#steps = [...steps];
    this.#type = type;
  }

  override _write(data: Buffer, _encoding: string, done: () => void): void {
    this.text += data.toString('utf8');
    const [step] = this.#steps;
    if (step?.until.test(this.text.slice(this.#seen)) === true) {
      this.#seen = this.text.length;
      this.#steps.shift();
      this.#type(step.keys);
    }
    done();
  }
}
