/** One piece of work on a kernel file in a process of its own: what V8 has not compiled yet costs as it does for people. */
import { readFileSync } from 'node:fs';
import { inspectKernel, unpackKernel } from '../../src/index.ts';

export interface Cost {
  /** By the clock and of processor time, from the file's bytes on; in milliseconds. */
  readonly wallMs: number;
  readonly cpuMs: number;
  /** The process's largest resident set, in bytes. */
  readonly peakBytes: number;
}

if (import.meta.main) {
  const [, , work = '', path = ''] = process.argv;
  console.log(JSON.stringify(measure(work, path)));
}

function measure(work: string, path: string): Cost {
  const file = readFileSync(path);
  const before = process.cpuUsage();
  const started = performance.now();
  if (work === 'unpack') unpackKernel(file);
  else inspectKernel(file, path);
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  return { wallMs, cpuMs: (user + system) / 1000, peakBytes: process.resourceUsage().maxRSS * 1024 };
}
