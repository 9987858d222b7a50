import { spawn } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import type { ErrorBody, LaunchOrder } from '@unpin/contract';
import { type ProcessId, processOf } from './processes.ts';
import type { VmDir } from './vm-dir.ts';

/** Notes that a VM will not be started, and why. */
export function noteRefusal(dir: VmDir, error: ErrorBody): void {
  mkdirSync(dir.path, { recursive: true, mode: 0o700 });
  writeWhole(dir.refused, JSON.stringify(error));
}

/**
 * Starts a VM's VMM, once: `launching` is made durable first, and where it is there already this throws. The process
 * is its own session leader, so that it outlives this agent; what it prints goes to files.
 */
export async function startVmm(vmm: string, dir: VmDir, order: LaunchOrder): Promise<ProcessId> {
  mkdirSync(dir.path, { recursive: true, mode: 0o700 });
  writeWhole(dir.order, JSON.stringify(order));
  createDurably(dir.launching);
  const out = openSync(dir.output, 'a', 0o600);
  const log = openSync(dir.log, 'a', 0o600);
  try {
    const child = spawn(process.execPath, [vmm, '--dir', dir.path, '--order', dir.order], {
      cwd: dir.path,
      detached: true,
      stdio: ['ignore', out, log],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const { pid } = child;
    if (pid === undefined) throw new Error('no process id');
    // A process that has ended by now keeps its number until it is reaped, in a later turn of the event loop.
    const id = processOf(pid) ?? { pid, startTicks: 0 };
    writeWhole(dir.process, JSON.stringify(id));
    return id;
  } finally {
    closeSync(out);
    closeSync(log);
  }
}

function createDurably(path: string): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeSync(fd, new Date().toISOString());
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Whole or not at all, for who reads it after a crash. */
function writeWhole(path: string, text: string): void {
  const part = `${path}.part`;
  writeFileSync(part, text, { mode: 0o600 });
  renameSync(part, path);
}
