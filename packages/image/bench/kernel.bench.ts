import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench, BenchResult } from '../../../scripts/bench.ts';
import { ByteReader, readSetupHeader } from '../src/index.ts';
import { assetPath } from '../test/assets.ts';
import { findTool } from '../test/tools.ts';
import type { Cost } from './helpers/kernel-verdict.ts';

/** Each format that Debian packs kernels with, and the tool that unpacks it. */
const KERNELS: readonly { id: string; title: string; tool: 'xz' | 'lz4' | 'zstd' }[] = [
  { id: 'kernel-6.1-generic', title: 'xz, Linux 6.1', tool: 'xz' },
  { id: 'image-bullseye-amd64', title: 'xz, Linux 5.10', tool: 'xz' },
  { id: 'kernel-6.1-cloud', title: 'lz4, Linux 6.1 for clouds', tool: 'lz4' },
  { id: 'kernel-6.12-cloud', title: 'zstd, Linux 6.12 for clouds', tool: 'zstd' },
];
const ROUNDS = 5;
const LIMIT_MS = 60_000;
const HELPER = join(import.meta.dirname, 'helpers/kernel-verdict.ts');
const PROGRAM = join(import.meta.dirname, '../../cli/src/main.ts');
const GOALS = { program: 1000, verdict: 400, peakMb: 200 };

export const bench: Bench = {
  title: 'from a kernel file to its verdict, by the clock (best of five, each in a process of its own)',
  unavailable() {
    const missing = KERNELS.map(({ id }) => id).filter((id) => assetPath(id) === undefined);
    return missing.length === 0 ? undefined : `not fetched: unpin test-host fetch ${missing.join(' ')}`;
  },
  async run(progress) {
    const results: BenchResult[] = [];
    for (const { id, title, tool } of KERNELS) {
      const path = assetPath(id) ?? '';
      const verdicts = rounds(() => measured('verdict', path));
      const ours = Math.min(...verdicts.map(({ wallMs }) => wallMs));
      const cpu = Math.min(...verdicts.map(({ cpuMs }) => cpuMs));
      const note = `${cpu.toFixed(0)} ms of processor time`;
      // An xz kernel has its goal with the program's start.
      const goal = tool === 'xz' ? {} : { goal: `≤ ${GOALS.verdict}`, met: ours <= GOALS.verdict };
      results.push({ name: `${title}: file to verdict`, unit: 'ms', ours, note, ...goal });
      progress(`${title}: verdict`);
      results.push(unpacking(title, tool, path));
      const whole = Math.min(...rounds(() => timed(process.execPath, [PROGRAM, 'image', 'inspect', path])));
      results.push({
        name: `${title}: unpin image inspect, start included`,
        unit: 'ms',
        ours: whole,
        goal: `≤ ${GOALS.program}`,
        met: whole <= GOALS.program,
      });
      progress(`${title}: program`);
      const peak = Math.max(...verdicts.map(({ peakBytes }) => peakBytes)) / 1e6;
      results.push({
        name: `${title}: memory`,
        unit: 'MB',
        ours: peak,
        goal: `≤ ${GOALS.peakMb}`,
        met: peak <= GOALS.peakMb,
      });
    }
    return results;
  },
};

/** Our decoder beside the tool's own, both with the start of what is not compiled or loaded yet. */
function unpacking(title: string, tool: string, path: string): BenchResult {
  const ours = Math.min(...rounds(() => measured('unpack', path).wallMs));
  const name = `${title}: unpacking`;
  const program = findTool(tool)?.program;
  if (program === undefined) return { name, unit: 'ms', ours, note: `${tool} is not there to compare with` };
  const folder = mkdtempSync(join(tmpdir(), 'unpin-bench-'));
  try {
    const file = readFileSync(path);
    const { payloadOffset, payloadLength } = readSetupHeader(new ByteReader(file));
    const packed = join(folder, `payload.${tool}`);
    // Without the size that the kernel's build appends.
    writeFileSync(packed, file.subarray(payloadOffset, payloadOffset + payloadLength - 4));
    const peer = Math.min(...rounds(() => timed(program, ['-d', '-c', packed])));
    return { name, unit: 'ms', ours, peer, ratio: ours / peer, note: `peer: ${tool} -d, its start included` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rounds<T>(work: () => T): T[] {
  return Array.from({ length: ROUNDS }, work);
}

function measured(work: 'unpack' | 'verdict', path: string): Cost {
  const { stdout, stderr, status } = spawnSync(process.execPath, [HELPER, work, path], {
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Cost;
}

/** Milliseconds that a program takes, its output thrown away. */
function timed(program: string, args: readonly string[]): number {
  const started = performance.now();
  const { error, status, stderr } = spawnSync(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: LIMIT_MS,
  });
  const ms = performance.now() - started;
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr.toString()}`);
  return ms;
}
