/**
 * Runs boot cases on the machine that this runs on (a test host), one after another, and prints one JSON line for each. Speaks to each guest's shell as
 * a person would: waits for the prompt, types, reads, types `poweroff`.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Lie, VmReport } from '@unpin/contract';
import type { BootCase } from './cases.ts';
import { findInSides, type SideHits } from './find-in-sides.ts';

export interface DriverInput {
  readonly cases: readonly (BootCase & { readonly kernelFile: string })[];
  readonly initrd: string;
}

export interface CaseResult {
  readonly index: number;
  readonly exitCode: number | null;
  readonly console: string;
  /** Whether the shell answered what was typed. */
  readonly answered: boolean;
  readonly seconds: number;
  /** The kernel's banner in the memory behind each view, while the guest ran; for guests with two sides. */
  readonly banner: SideHits;
  readonly report?: VmReport;
  readonly lies?: readonly Lie[];
  readonly stdout?: string;
}

const CLI = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** The shell's prompt: busybox ash as root. The kernel may print behind it. */
const PROMPT = /^\/root # /m;
/** Bounds on what hangs, not measures: a guest takes two minutes where two cores are busy with emulation. */
const GIVE_UP_MS = 1_000_000;

async function drive(input: DriverInput): Promise<void> {
  for (const [index, bootCase] of input.cases.entries())
    process.stdout.write(`${JSON.stringify(await runCase(index, bootCase, input.initrd))}\n`);
}

/** Boots one guest by the real program, speaks to its shell, and answers what it showed. `onStart` is told its process. */
export function runCase(
  index: number,
  bootCase: DriverInput['cases'][number],
  initrd: string,
  onStart: (pid: number) => void = () => {},
): Promise<CaseResult> {
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [
      CLI,
      'run',
      bootCase.kernelFile,
      '--initrd',
      initrd,
      '--type',
      bootCase.type,
      '--memory',
      '512M',
      '--json',
      '--timeout',
      '900',
      ...(bootCase.args ?? []),
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  onStart(child.pid ?? 0);
  const watchdog = setTimeout(() => child.kill('SIGKILL'), GIVE_UP_MS);
  let banner: SideHits = {};
  const shell = new ShellTalk(
    (text) => child.stdin.write(text),
    () => {
      banner = findInSides(child.pid ?? 0, 'Linux version ');
    },
  );
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => shell.hear(chunk.toString()));
  return new Promise((resolve) => {
    child.once('close', (exitCode) => {
      clearTimeout(watchdog);
      const said = parse(stdout);
      resolve({
        index,
        exitCode,
        console: shell.heard,
        answered: shell.answered,
        banner,
        seconds: (performance.now() - started) / 1000,
        ...(said?.report === undefined ? { stdout } : { report: said.report, lies: said.lies ?? [] }),
      });
    });
  });
}

function parse(text: string): { report?: VmReport; lies?: readonly Lie[] } | undefined {
  try {
    return JSON.parse(text) as { report?: VmReport; lies?: readonly Lie[] };
  } catch {
    return undefined;
  }
}

/** The two things that are typed, each at a prompt. The first one's answer is not in what is typed. */
class ShellTalk {
  heard = '';
  answered = false;
  #typed = 0;
  #seen = 0;
  readonly #type: (text: string) => void;
  readonly #whileItRuns: () => void;

  constructor(type: (text: string) => void, whileItRuns: () => void) {
    this.#type = type;
    this.#whileItRuns = whileItRuns;
  }

  hear(text: string): void {
    this.heard += text;
    this.answered ||= this.heard.includes('alive-42');
    if (!PROMPT.test(this.heard.slice(this.#seen))) return;
    this.#seen = this.heard.length;
    this.#typed++;
    if (this.#typed === 1) this.#type('echo alive-$((6*7))\n');
    if (this.#typed !== 2) return;
    this.#whileItRuns();
    this.#type('poweroff\n');
  }
}

if (import.meta.main) await drive(JSON.parse(process.argv[2] ?? '') as DriverInput);
