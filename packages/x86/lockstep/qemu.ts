/**
 * QEMU's TCG as a stepped machine.
 *
 * How to stop it at the N-th instruction was tried on QEMU 7.2 (2 cores, a Debian 6.12 boot of about 10⁹ instructions):
 * | way | found |
 * |---|---|
 * | gdbstub's single step | exact; some ten thousand steps/s: for bare programs and for the last yards |
 * | `-d exec,cpu,nochain` through a FIFO | about 1 KB of text a block: 10⁸ blocks are 10¹¹ bytes. Too slow |
 * | breakpoints by hit count | needs an address, and stops at each hit |
 * | **`-icount` record and replay** | exact at any instruction: `replay_break N`, `c`. 0.9 ms a stop, 200–1,000 M instructions/s between; recording a boot 9 s instead of 5 |
 *
 * So a boot is recorded once (`record`), and replayed (`replay`) as often as wanted: each time the same to the instruction,
 * interrupts included. Instructions are counted as QEMU's icount does: a REP string instruction counts one for each
 * round and one more for finding RCX at 0; an instruction that faults counts nothing, nor does the delivery of an interrupt.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GdbClient } from './gdb-client.ts';
import { GdbRegisters } from './gdb-registers.ts';
import type { SteppedMachine, StopReason } from './machine.ts';
import type { QemuProgram } from './qemu-program.ts';
import { parseSystemRegisters } from './qemu-system-registers.ts';
import type { RegisterFile, SystemRegisters } from './register-file.ts';

export interface QemuOptions {
  readonly program: QemuProgram;
  readonly memoryMiB: number;
  /** More arguments: `-kernel` and its like, `-serial`. Default: an empty machine with no firmware's work wanted. */
  readonly arguments?: readonly string[];
  /** `step`: nothing but the gdbstub. `record` and `replay`: with a log of what happened from outside. Default `step`. */
  readonly mode?: 'step' | { readonly record: string } | { readonly replay: string };
  /** QEMU is killed after so many milliseconds. Default 10 minutes. */
  readonly limitMs?: number;
}

/**
 * The first argument is QEMU's folder, the rest its command. QEMU is asked to end (`timeout` hands the signal on) and the
 * folder is removed when file descriptor 3 reaches its end: a pipe that only we hold open, so that QEMU can't outlive us.
 */
const LEASH = `folder=$1; shift
"$@" 3<&- & child=$!
{ read -r _ <&3; kill -TERM "$child"; rm -rf "$folder"; } 2>/dev/null & leash=$!
exec 3<&-
wait "$child"; code=$?
kill "$leash" 2>/dev/null
exit "$code"`;

function letGo(child: ChildProcess): void {
  child.stdio[3]?.destroy();
}

/** SIGINT's stop reply and all others that aren't the end. */
const STOPPED = /^[TS]/;

export class QemuMachine implements SteppedMachine {
  readonly name = 'QEMU';
  readonly gdb: GdbClient;
  readonly registers: GdbRegisters;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #memory: number;
  readonly #files: readonly number[];
  readonly #counts: boolean;

  /** Starts QEMU and waits for its gdbstub; nothing has run yet. Rejects with what QEMU says when it doesn't come up. */
  static async start(options: QemuOptions): Promise<QemuMachine> {
    const folder = mkdtempSync(join(tmpdir(), 'unpin-qemu-'));
    const pipe = join(folder, 'gdb');
    execFileSync('mkfifo', [`${pipe}.in`, `${pipe}.out`], { timeout: 10_000 });
    const seconds = String((options.limitMs ?? 600_000) / 1000);
    const [program, ...before] = options.program.command;
    const command = ['timeout', '-k', '5', seconds, program, ...before, ...machine(options, folder, pipe)];
    const child = spawn('/bin/sh', ['-c', LEASH, 'sh', folder, ...command], {
      env: options.program.environment,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    let words = '';
    child.stderr?.on('data', (data: Buffer) => {
      words += data.toString();
    });
    try {
      // Blocking descriptors, once the other end is there: when QEMU ends, so does the file.
      await opened(child, `${pipe}.out`, join(folder, 'ram'), () => words);
      const fromStub = openSync(`${pipe}.out`, constants.O_RDONLY);
      const toStub = openSync(`${pipe}.in`, constants.O_WRONLY);
      const memory = openSync(join(folder, 'ram'), constants.O_RDWR);
      return new QemuMachine(child, folder, [toStub, fromStub, memory], options.mode ?? 'step');
    } catch (error) {
      letGo(child);
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(
    child: ChildProcess,
    folder: string,
    files: readonly [number, number, number],
    mode: NonNullable<QemuOptions['mode']>,
  ) {
    this.#child = child;
    this.#folder = folder;
    this.#files = files;
    this.#memory = files[2];
    this.#counts = mode !== 'step';
    this.gdb = new GdbClient(files[0], files[1]);
    this.registers = new GdbRegisters(this.gdb);
    this.gdb.order('Qqemu.PhyMemMode:1');
  }

  readRegs(): RegisterFile {
    return this.registers.read();
  }

  readSystem(): SystemRegisters {
    return parseSystemRegisters(this.gdb.monitor('info registers'));
  }

  writeRegs(registers: RegisterFile): void {
    this.registers.writeAll(registers);
  }

  /** Guest-physical RAM below the hole at 2 GiB. */
  readMemory(address: number, length: number): Uint8Array {
    const out = Buffer.alloc(length);
    const got = readSync(this.#memory, out, 0, length, address);
    if (got !== length) throw new RangeError(`QEMU: no RAM at ${address.toString(16)}`);
    return out;
  }

  /** Through the stub, which also forgets translations of what is overwritten. */
  writeMemory(address: number, data: Uint8Array): void {
    this.gdb.writeMemory(address, data);
  }

  /** Guest-physical, past the stub: for bytes that nothing executes. */
  writeData(address: number, data: Uint8Array): void {
    writeSync(this.#memory, data, 0, data.length, address);
  }

  /** Instructions run since the start of the log. Only with record and replay. */
  position(): number {
    const text = this.gdb.monitor('info replay');
    const found = /instruction count = (\d+)/.exec(text)?.[1];
    if (found === undefined) throw new Error(`QEMU: '${text.trim()}' to info replay`);
    return Number(found);
  }

  /** Replays up to this instruction count, which is ahead. Answers whether it got there before the log's end. */
  runTo(position: number): boolean {
    const refused = this.gdb.monitor(`replay_break ${position}`).trim();
    if (refused !== '') throw new Error(`QEMU: ${refused}`);
    return STOPPED.test(this.gdb.resume('c'));
  }

  runInstructions(count: number): StopReason {
    if (this.#counts) {
      if (count === 0) return { kind: 'count', retired: 0 };
      return { kind: this.runTo(this.position() + count) ? 'count' : 'shutdown', retired: count };
    }
    for (let retired = 0; retired < count; retired++)
      if (!STOPPED.test(this.gdb.resume('s'))) return { kind: 'shutdown', retired };
    return { kind: 'count', retired: count };
  }

  /** Goes on until RIP is at this linear address (a hardware breakpoint). Answers whether it got there. */
  runToAddress(address: bigint): boolean {
    this.setBreakpoint(address);
    const stopped = this.go();
    if (stopped) this.gdb.order(`z1,${address.toString(16)},1`);
    return stopped;
  }

  /** A hardware breakpoint at a linear address: it writes nothing into the guest. */
  setBreakpoint(address: bigint): void {
    this.gdb.order(`Z1,${address.toString(16)},1`);
  }

  /** Goes on until something stops it. Answers false where QEMU ended. */
  go(): boolean {
    return STOPPED.test(this.gdb.resume('c'));
  }

  /** The highest vector that the local APIC has in service. */
  vectorInService(): number | undefined {
    const listed = /^ISR\s+([\d ]+)/m.exec(this.gdb.monitor('info lapic'))?.[1];
    const vectors = (listed?.trim() ?? '').split(/\s+/).filter((word) => word !== '');
    return vectors.length === 0 ? undefined : Math.max(...vectors.map(Number));
  }

  /** Runs without stopping, for `record`: until QEMU ends by itself. */
  runToEnd(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#child.once('close', () => resolve());
    });
    this.gdb.detach();
    return ended;
  }

  /** Asks QEMU to end, its log being whole. */
  end(): void {
    letGo(this.#child);
  }

  close(): void {
    this.end();
    for (const file of this.#files) closeSync(file);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** With BMI1, of which our engine has TZCNT: without it QEMU executes that as BSF, whose flags and zero differ. */
const CPU = 'qemu64,+bmi1';

/**
 * The machine's arguments. Its memory is a file that both sides see. No SATA, no HPET: a kernel polls them a hundred thousand times, and
 * each poll stops a lockstep.
 */
function machine(options: QemuOptions, folder: string, pipe: string): string[] {
  const size = `${options.memoryMiB}M`;
  const lines = [
    '-no-user-config -nodefaults -no-reboot -display none -monitor none -nic none -S',
    `-cpu ${CPU} -m ${size} -machine q35,accel=tcg,sata=off,smbus=off,hpet=off,memory-backend=ram`,
    `-object memory-backend-file,id=ram,size=${size},mem-path=${folder}/ram,share=on`,
    `-chardev pipe,id=gdb,path=${pipe} -gdb chardev:gdb`,
  ];
  return [...lines.flatMap((line) => line.split(' ')), ...icount(options.mode ?? 'step'), ...(options.arguments ?? [])];
}

function icount(mode: NonNullable<QemuOptions['mode']>): string[] {
  if (mode === 'step') return [];
  const [how, file] = 'record' in mode ? ['record', mode.record] : ['replay', mode.replay];
  return ['-icount', `shift=0,rr=${how},rrfile=${file}`];
}

/** Resolves once the FIFO and the memory are in QEMU's hands: only then does a blocking open come back. */
async function opened(child: ChildProcess, fifo: string, ram: string, words: () => string): Promise<void> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; await sleep(10)) {
    if (child.exitCode !== null) throw new Error(`QEMU ended with ${child.exitCode}: ${words().trim()}`);
    if (existsSync(ram) && isOpen(fifo)) return;
  }
  throw new Error(`QEMU: no gdbstub in 20 s: ${words().trim()}`);
}

/** Opening a FIFO to write without blocking fails (ENXIO) while nobody reads; QEMU opens both ways. */
function isOpen(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}
