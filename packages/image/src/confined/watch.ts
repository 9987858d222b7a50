import { readFileSync } from 'node:fs';
import type { ConfinedLimits } from './limits.ts';

/** Between two looks, in milliseconds: what can be allocated in that time bounds how far a limit is overrun. */
const EVERY_MS = 20;
/** Linux counts CPU time for user space in these, in milliseconds (USER_HZ is 100 on x86). */
const TICK_MS = 10;
const PAGE = 4096;

export interface Usage {
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** What a process has used so far; undefined where it is gone, or the system has no /proc. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command's name may hold blanks and parentheses: fields count from behind it, `state` being the third.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const resident = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
    return Number.isNaN(ticks + resident) ? undefined : { cpuMs: ticks * TICK_MS, residentBytes: resident * PAGE };
  } catch {
    return undefined;
  }
}

/** Which limit was overrun, with what was found and what was allowed, for people. */
export interface Overrun {
  readonly found: string;
  readonly needed: string;
}

/**
 * Looks at a process while it works; what it had used when the watch began is not counted as CPU time.
 * @param overrun called once at most
 * @returns ends the watch, and tells the largest resident set that was seen
 */
export function watchProcess(pid: number, limits: ConfinedLimits, overrun: (what: Overrun) => void): () => number {
  const started = performance.now();
  const before = usageOf(pid)?.cpuMs ?? 0;
  let peak = 0;
  const look = (): void => {
    const usage = usageOf(pid);
    peak = Math.max(peak, usage?.residentBytes ?? 0);
    const what = overrunOf(limits, usage && { ...usage, cpuMs: usage.cpuMs - before }, performance.now() - started);
    if (what === undefined) return;
    clearInterval(timer);
    overrun(what);
  };
  const timer = setInterval(look, EVERY_MS);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

/** Pure. */
export function overrunOf(limits: ConfinedLimits, usage: Usage | undefined, wallMs: number): Overrun | undefined {
  if (usage !== undefined && usage.cpuMs > limits.cpuMs)
    return { found: `${seconds(usage.cpuMs)} of CPU time`, needed: `at most ${seconds(limits.cpuMs)}` };
  if (usage !== undefined && usage.residentBytes > limits.memoryBytes)
    return { found: `${mib(usage.residentBytes)} of memory`, needed: `at most ${mib(limits.memoryBytes)}` };
  if (wallMs > limits.wallMs) return { found: seconds(wallMs), needed: `at most ${seconds(limits.wallMs)}` };
  return undefined;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
