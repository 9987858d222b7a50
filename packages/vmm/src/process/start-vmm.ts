import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { LaunchOrder, Lie, VmmLastLine, VmmReadyLine, VmReport } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import { vmmProgram } from '../program-file.ts';

export interface StartVmmOptions {
  readonly order: LaunchOrder;
  /** Where the VM's sockets are made. */
  readonly dir: string;
  /** The VM ends with this process; true unless said. */
  readonly withParent?: boolean;
}

/** How a VM ended, in its own last words. */
export interface VmmEnd {
  readonly report: VmReport;
  readonly lies: readonly Lie[];
  readonly exitCode: number;
}

export interface RunningVmm {
  readonly pid: number;
  readonly apiSocket: string;
  readonly consoleSocket: string;
  /** Rejects with the catalogue's error where no guest ran to an end: it could not be started, or the VMM died. */
  readonly ended: Promise<VmmEnd>;
  /** SIGKILL: nothing is left of the VM, nor any last words. */
  kill(): void;
}

/** Last bytes of standard error that an error quotes. */
const QUOTED = 2_000;

/**
 * Starts a VMM process for one VM and waits until its API answers.
 * @throws UnpinError the VMM's refusal, or VMM_DIED
 */
export async function startVmm(options: StartVmmOptions): Promise<RunningVmm> {
  const { order, dir, withParent = true } = options;
  const args = [vmmProgram(), '--dir', dir, '--order', '-', ...(withParent ? ['--with-parent'] : [])];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {});
  child.stdin.write(`${JSON.stringify(order)}\n`);
  if (!withParent) child.stdin.end();
  const words = listen(child, order.name);
  const first = await Promise.race([words.ready, words.ended]);
  if (!('ready' in first)) throw died(order.name, 'it ended before it was ready');
  const { pid, api, console } = first.ready;
  // Whoever asks for the end hears of a failure; nobody has to.
  words.ended.catch(() => {});
  return {
    pid,
    apiSocket: api,
    consoleSocket: console,
    ended: words.ended,
    kill: () => void child.kill('SIGKILL'),
  };
}

/** What a VMM says on its standard output, as promises. */
function listen(child: ChildProcess, name: string): { ready: Promise<VmmReadyLine>; ended: Promise<VmmEnd> } {
  const ready = Promise.withResolvers<VmmReadyLine>();
  const ended = Promise.withResolvers<VmmEnd>();
  let last: VmmLastLine | undefined;
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-QUOTED);
  });
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = parse(line);
      if (said === undefined) return;
      if ('ready' in said) ready.resolve(said);
      else last = said;
    });
  child.once('error', (cause) => ended.reject(died(name, cause.message)));
  child.once('close', (code, signal) => {
    const report = last?.report;
    if (report !== undefined && last?.ending !== undefined && last.ending.reason !== 'failed')
      ended.resolve({ report, lies: last.lies ?? [], exitCode: code ?? 0 });
    else if (last?.error !== undefined) ended.reject(UnpinError.fromBody(last.error));
    else ended.reject(died(name, complaints.trim() || `it ended with ${signal ?? code}`));
  });
  return { ready: ready.promise, ended: ended.promise };
}

function parse(line: string): VmmReadyLine | VmmLastLine | undefined {
  try {
    return JSON.parse(line) as VmmReadyLine | VmmLastLine;
  } catch {
    return undefined;
  }
}

function died(name: string, found: string): UnpinError {
  return new UnpinError('VMM_DIED', { subject: name, found });
}
