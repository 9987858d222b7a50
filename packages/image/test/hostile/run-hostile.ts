/** Runs a format's cases in a process that is watched: no case may crash it, keep it busy, or take the machine's memory. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostileFormat } from './format.ts';

/** Of one case, in CPU time: a busy machine is no defect. */
const CASE_CPU_MS = 5000;
/** Of a case that waits for what never comes. */
const CASE_WALL_MS = 60_000;
const MEMORY_BYTES = 512 * 2 ** 20;
const LOOK_MS = 250;

const REPOSITORY = join(import.meta.dirname, '../../../..');
const RUNNER = join(import.meta.dirname, 'run-cases.ts');

export interface HostileRun {
  readonly cases: number;
  /** Resident set of the process, at most. */
  readonly peakBytes: number;
  /** What came of them: how many inputs met it. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/**
 * Runs cases `from` … `from + count`. Throws with the case and how to repeat it where one fails; `seed` and a case's
 * number are all that it is made of.
 */
export async function runHostile(
  format: HostileFormat,
  { seed, from = 0, count }: { readonly seed: number; readonly from?: number; readonly count: number },
): Promise<HostileRun> {
  const folder = mkdtempSync(join(tmpdir(), `unpin-hostile-${format.name}-`));
  try {
    mkdirSync(join(folder, 'tmp'));
    const files = format.seeds().map((bytes, index) => {
      const path = join(folder, `${index}`);
      writeFileSync(path, bytes);
      return path;
    });
    const outcome = await watched(folder, [format.name, `${seed}`, `${from}`, `${count}`, ...files]);
    if (outcome.failure === undefined) return { cases: count, ...outcome.report };
    throw new Error(
      `${format.name}, seed ${seed}, case ${outcome.at}: ${outcome.failure}\n` +
        `again: UNPIN_HOSTILE=${format.name}:${seed}:${outcome.at} node --test packages/image/test/hostile-images.test.ts`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Report = Pick<HostileRun, 'peakBytes' | 'outcomes'>;

interface Outcome {
  readonly at: number;
  readonly failure: string | undefined;
  readonly report: Report;
}

async function watched(folder: string, args: readonly string[]): Promise<Outcome> {
  // Whatever else it opens, runs or writes is an escape, and refused by name.
  const spill = join(folder, 'tmp');
  const may = [
    '--permission',
    `--allow-fs-read=${REPOSITORY}/*`,
    `--allow-fs-read=${folder}/*`,
    `--allow-fs-write=${spill}/*`,
  ];
  const child = spawn(process.execPath, [...may, RUNNER, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], TMPDIR: spill },
  });
  const pid = child.pid ?? 0;
  let at = -1;
  let tail = '';
  let complaints = '';
  let began = { cpu: 0, wall: performance.now() };
  let killed: string | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-65_536);
    const numbers = tail.match(/^\d+$/gm);
    const now = Number(numbers?.at(-1) ?? -1);
    if (now === at) return;
    at = now;
    began = { cpu: usageOf(pid).cpuMs, wall: performance.now() };
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-4096);
  });
  const looks = setInterval(() => {
    const { cpuMs, bytes } = usageOf(pid);
    if (bytes > MEMORY_BYTES) killed = `${Math.round(bytes / 2 ** 20)} MiB of memory`;
    else if (cpuMs - began.cpu > CASE_CPU_MS) killed = `more than ${CASE_CPU_MS} ms of CPU time`;
    else if (performance.now() - began.wall > CASE_WALL_MS) killed = 'no end, and nothing done';
    if (killed !== undefined) child.kill('SIGKILL');
  }, LOOK_MS);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...end) => resolve(end));
  });
  clearInterval(looks);
  const told = /^report (.*)$/m.exec(tail)?.[1];
  const report = told === undefined ? { peakBytes: 0, outcomes: {} } : (JSON.parse(told) as Report);
  const { peakBytes } = report;
  const ended = code === 0 && told !== undefined ? undefined : `ended with ${signal ?? code}\n${complaints}`;
  const large = peakBytes > MEMORY_BYTES ? `${Math.round(peakBytes / 2 ** 20)} MiB of memory at some time` : undefined;
  return { at, failure: killed ?? ended ?? large, report };
}

/** CPU time and resident set of a process; nothing where it has ended. */
function usageOf(pid: number): { readonly cpuMs: number; readonly bytes: number } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    // utime and stime in ticks of 10 ms, the 14th and 15th field; rss in pages, the 24th.
    return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, bytes: Number(fields[21]) * 4096 };
  } catch {
    return { cpuMs: 0, bytes: 0 };
  }
}
