/** A boot of QEMU that is recorded once and followed as often as wanted. */
import { existsSync, readFileSync } from 'node:fs';
import { EngineMachine } from './engine-machine.ts';
import { type Divergence, Follow, type FollowReport } from './follow.ts';
import { QemuMachine } from './qemu.ts';
import type { QemuProgram } from './qemu-program.ts';
import { parseReplayLog, type ReplayLog } from './replay-log.ts';

export interface BootRun {
  readonly program: QemuProgram;
  /** QEMU's arguments for the guest: `-kernel`, `-initrd`, `-append`, `-serial`. */
  readonly arguments: readonly string[];
  readonly memoryMiB: number;
  /** QEMU's log of the run. */
  readonly log: string;
  /** Done to each QEMU before its first instruction: the same when it is recorded and when it is replayed. */
  readonly prepare?: (qemu: QemuMachine) => void;
  /** Each QEMU process is killed after so many milliseconds. */
  readonly limitMs: number;
}

export interface FollowBootOptions {
  /** Linear address at whose first execution both begin: BIOS and boot ROMs are QEMU's own. */
  readonly entry: bigint;
  readonly window: number;
  readonly until?: number;
  readonly memoryEvery?: number;
  readonly onProgress?: (position: number) => void;
  /** Told of our machine before it begins: a test spoils it here. */
  readonly onStart?: (ours: EngineMachine) => void;
}

/** Runs the guest until it ends by itself or for so many milliseconds, unless there is a log already. */
export async function recordBoot(run: BootRun, forMs: number): Promise<ReplayLog> {
  if (!existsSync(run.log)) {
    const qemu = await start(run, { record: run.log });
    const timer = setTimeout(() => qemu.end(), forMs);
    await qemu.runToEnd();
    clearTimeout(timer);
    qemu.close();
  }
  return parseReplayLog(readFileSync(run.log));
}

/** Follows from the entry on, to the first divergence or the log's end. */
export async function followBoot(run: BootRun, log: ReplayLog, options: FollowBootOptions): Promise<FollowReport> {
  using leader = await start(run, { replay: run.log });
  if (!leader.runToAddress(options.entry)) throw new Error(`QEMU never came to ${options.entry.toString(16)}`);
  return follow(leader, run, log, options);
}

/** A divergence that was made as small as it can be. */
export interface Narrowed {
  readonly divergence: Divergence;
  /** The instruction behind which both differ, or `undefined` where more than one is left. */
  readonly instruction: string | undefined;
}

/**
 * Looks into a divergent window with ever smaller ones, each time from QEMU's state at the last place where both agreed, until
 * one instruction is left. Undefined where it no longer differs: then ours had wrong state that registers and memory
 * don't show (a TLB, decoded code, an MSR).
 */
export async function narrow(run: BootRun, log: ReplayLog, divergence: Divergence): Promise<Narrowed | undefined> {
  let found = divergence;
  while (found.at - found.from > 1) {
    using leader = await start(run, { replay: run.log });
    if (found.from > 0) leader.runTo(found.from);
    const window = Math.max(1, Math.ceil((found.at - found.from) / 64));
    const report = follow(leader, run, log, {
      window,
      until: found.at + 1,
      memoryEvery: found.memory.length > 0 ? 1 : 0,
    });
    if (report.divergence === undefined) return undefined;
    // No smaller: an instruction that one of the two counts otherwise.
    if (report.divergence.at - report.divergence.from >= found.at - found.from) break;
    found = report.divergence;
  }
  using leader = await start(run, { replay: run.log });
  if (found.from > 0) leader.runTo(found.from);
  const ours = new EngineMachine(run.memoryMiB << 20);
  const here = new Follow({ leader, ours, interrupts: [], memory: run.memoryMiB << 20, window: 1, until: 0 });
  const single = found.at - found.from <= 1;
  return { divergence: found, instruction: single ? `${here.rip()} ${ours.mnemonicAtRip()}` : undefined };
}

async function start(
  run: BootRun,
  mode: { readonly record: string } | { readonly replay: string },
): Promise<QemuMachine> {
  const qemu = await QemuMachine.start({ ...run, mode });
  run.prepare?.(qemu);
  return qemu;
}

function follow(
  leader: QemuMachine,
  run: BootRun,
  log: ReplayLog,
  options: Omit<FollowBootOptions, 'entry'>,
): FollowReport {
  const memory = run.memoryMiB << 20;
  const { interrupts, end } = log;
  const ours = new EngineMachine(memory);
  const lockstep = new Follow({ until: end, ...options, leader, ours, interrupts, memory });
  options.onStart?.(ours);
  return lockstep.run();
}
