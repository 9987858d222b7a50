import { readdirSync, readFileSync } from 'node:fs';

/** A process that cannot be mistaken for a later one of the same number: proc(5), field 22 of stat. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot at which it started. */
  readonly startTicks: number;
}

/** The process of a number, undefined where there is none or where it is a zombie. */
export function processOf(pid: number): ProcessId | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command in parentheses may hold anything; fields are counted from behind its last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTicks = Number(fields[19]);
  return state === 'Z' || state === 'X' || !Number.isInteger(startTicks) ? undefined : { pid, startTicks };
}

export function isAlive(id: ProcessId): boolean {
  return processOf(id.pid)?.startTicks === id.startTicks;
}

/** The VMM process that was given this directory, found by its arguments. */
export function findVmm(dir: string): ProcessId | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    if (isVmmOf(pid, dir)) return processOf(pid);
  }
  return undefined;
}

/**
 * Sends a signal to a VM's VMM, and to nothing else: number, start time and arguments must all be those of the process
 * that was given this directory. False where there is no such process.
 */
export function signalVmm(id: ProcessId, dir: string, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  if (!isAlive(id) || !isVmmOf(id.pid, dir)) return false;
  try {
    process.kill(id.pid, signal);
    return true;
  } catch {
    return false;
  }
}

function isVmmOf(pid: number, dir: string): boolean {
  const args = read(`/proc/${pid}/cmdline`)?.split('\0') ?? [];
  const at = args.indexOf('--dir');
  return at !== -1 && args[at + 1] === dir && args.includes('--order');
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
