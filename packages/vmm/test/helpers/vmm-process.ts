import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { VmmLastLine, VmmReadyLine } from '@unpin/contract';
import { vmmProgram } from '../../src/program-file.ts';

/** A run of the real program. */
export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly ready: VmmReadyLine | undefined;
  readonly last: VmmLastLine | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly dir: string;
}

/** Why guests can't be run here, or false. */
export function noKvm(): string | false {
  return existsSync('/dev/kvm') ? false : 'this machine has no /dev/kvm';
}

/** A directory that is gone after the test. */
export function temporaryDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'unpin-vmm-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Runs the program with arguments; what is still there after `limitMs` is killed. */
export async function runProgram(args: readonly string[], dir = '', limitMs = 330_000): Promise<Run> {
  return await startProgram(args, dir, limitMs).done;
}

export function startProgram(args: readonly string[], dir = '', limitMs = 330_000) {
  const child = spawn(process.execPath, [vmmProgram(), ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
  let stdout = '';
  let stderr = '';
  const ready = Promise.withResolvers<VmmReadyLine>();
  const done = Promise.withResolvers<Run>();
  const lines = () =>
    stdout
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as VmmReadyLine | VmmLastLine);
  const readyLine = () => lines().find((line): line is VmmReadyLine => 'ready' in line);
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    const found = readyLine();
    if (found !== undefined) ready.resolve(found);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.on('close', (code, signal) => {
    clearTimeout(limit);
    const last = lines().findLast((line) => !('ready' in line)) as VmmLastLine | undefined;
    done.resolve({ code, signal, ready: readyLine(), last, stdout, stderr, dir });
    ready.reject(new Error(`it ended before it was ready: ${stdout}${stderr}`));
  });
  ready.promise.catch(() => {});
  return { child, ready: ready.promise, done: done.promise };
}

/** The arguments that run an order (or whatever stands in its place) in a fresh directory. */
export function orderArguments(t: TestContext, order: unknown): { args: readonly string[]; dir: string } {
  const dir = temporaryDir(t);
  const file = join(dir, 'order.json');
  writeFileSync(file, typeof order === 'string' ? order : JSON.stringify(order));
  return { args: ['--dir', join(dir, 'vm'), '--order', file], dir: join(dir, 'vm') };
}

export async function runOrder(t: TestContext, order: unknown): Promise<Run> {
  const { args, dir } = orderArguments(t, order);
  return await runProgram(args, dir);
}
