/**
 * Lockstep: our engine follows a recorded run of QEMU. Both start in the same state; ours runs until it meets something that
 * isn't the processor's own, an interrupt that QEMU took, or the window's end; QEMU is replayed up to the same instruction
 * count, and registers are compared. What instructions bring from outside (I/O, clocks, CPUID) is taken from QEMU: all its
 * registers, and for string input its memory.
 */
import { compareRegisters, type RegisterDifference } from './compare-registers.ts';
import type { EngineMachine } from './engine-machine.ts';
import { GdbEnded } from './gdb-client.ts';
import type { StopReason } from './machine.ts';
import type { QemuMachine } from './qemu.ts';
import type { RegisterFile } from './register-file.ts';

export interface FollowOptions {
  readonly leader: QemuMachine;
  readonly ours: EngineMachine;
  /** Instruction counts of QEMU's interrupts (replay-log.ts). */
  readonly interrupts: readonly number[];
  /** Bytes of RAM. */
  readonly memory: number;
  /** Instructions between two comparisons, at most. */
  readonly window: number;
  readonly until: number;
  /** Compares memory too after so many windows; 0 never. It costs about 0.5 s a GiB. */
  readonly memoryEvery?: number;
  readonly onProgress?: (position: number) => void;
}

export interface Divergence {
  /** Both were the same here; QEMU's instruction counts. */
  readonly from: number;
  readonly at: number;
  readonly why: string;
  readonly differences: readonly RegisterDifference[];
  /** First guest-physical addresses that differ, if memory was compared. */
  readonly memory: readonly number[];
}

export interface FollowReport {
  /** QEMU's instruction count up to which both are the same. */
  readonly position: number;
  readonly stops: number;
  /** How often each kind of thing was taken from QEMU. */
  readonly taken: ReadonlyMap<string, number>;
  /** Windows at whose end status flags alone differed: perhaps undefined ones. */
  readonly flagsDiffered: number;
  /** QEMU ended in the instruction behind `position`: a reset or power-off. */
  readonly ended: boolean;
  readonly divergence: Divergence | undefined;
}

export class Follow {
  readonly #options: FollowOptions;
  readonly #taken = new Map<string, number>();
  #position: number;
  /** Where QEMU stands: at #position, or one instruction into an interrupt's handler. */
  #leaderAt: number;
  /** The interrupt that was dealt with last. */
  #handled = -1;
  #stops = 0;
  #flagsDiffered = 0;
  #windows = 0;
  #divergence: Divergence | undefined;

  /** QEMU stands where both are to begin; ours gets its whole state. */
  constructor(options: FollowOptions) {
    this.#options = options;
    this.#position = options.leader.position();
    this.#leaderAt = this.#position;
    copyAll(options.leader, options.ours, options.memory);
  }

  run(): FollowReport {
    let ended = false;
    try {
      this.#windowsUntilEnd();
    } catch (error) {
      // The guest has powered off or reset the machine.
      if (!(error instanceof GdbEnded)) throw error;
      ended = true;
    }
    return {
      position: this.#position,
      stops: this.#stops,
      taken: this.#taken,
      flagsDiffered: this.#flagsDiffered,
      ended,
      divergence: this.#divergence,
    };
  }

  #windowsUntilEnd(): void {
    const { until, window, memoryEvery = 0, onProgress } = this.#options;
    while (this.#divergence === undefined && this.#position < until) {
      if (this.#handled !== this.#position && this.#options.interrupts.includes(this.#position)) {
        this.#interruptHere();
        continue;
      }
      const interrupt = this.#options.interrupts.find((each) => each > this.#position);
      const end = Math.min(until, this.#position + window, interrupt ?? until);
      this.#advance(end - this.#position);
      this.#windows++;
      if (memoryEvery > 0 && this.#windows % memoryEvery === 0) this.#compareMemory();
      onProgress?.(this.#position);
    }
  }

  /** Where ours stands. */
  rip(): string {
    return this.#options.ours.readRegs().rip.toString(16);
  }

  /** One run of ours, to the window's end or to what stops it earlier, and QEMU after it. */
  #advance(count: number): void {
    const { leader, ours } = this.#options;
    const from = this.#position;
    const stop = ours.runInstructions(count);
    const to = from + stop.retired;
    if (stop.kind === 'unsupported' || stop.kind === 'shutdown' || stop.kind === 'exception') {
      this.#diverge(from, to, why(stop), []);
      return;
    }
    if (stop.kind === 'outside') {
      this.#outside(from, to, stop.behind, stop.what);
      return;
    }
    if (stop.kind === 'halt') ours.forgetClock();
    // Where QEMU takes an interrupt it may stop behind its delivery: #interruptHere compares.
    const isInterrupt = this.#options.interrupts.includes(to);
    if (!this.#leaderTo(to)) return;
    if (isInterrupt || this.#same(from, to, leader.readRegs())) this.#position = to;
  }

  /**
   * The instruction at RIP is QEMU's to execute; or ours is behind it already and lacks its results (`behind`). One stop
   * is enough where it is known which registers it writes: the others must be as ours.
   */
  #outside(from: number, at: number, behind: boolean, what: string): void {
    const { leader, ours } = this.#options;
    const writes = WRITES.get(what) ?? (behind ? undefined : ours.loadedAtRip());
    const to = behind ? at : at + 1;
    this.#count(what);
    if (writes === undefined) {
      if (!this.#leaderTo(at) || !this.#same(from, at, leader.readRegs())) return;
      const isInput = isStringInput(ours.codeAtRip() ?? new Uint8Array());
      if (!this.#leaderTo(to)) return;
      ours.writeRegs(leader.readRegs());
      ours.passOver();
      if (isInput) copyMemory(leader, ours, this.#options.memory);
      this.#position = to;
      return;
    }
    if (!this.#leaderTo(to)) return;
    const theirs = leader.readRegs();
    const before = ours.readRegs();
    const length = behind ? 0 : ours.lengthAtRip();
    for (const register of writes) before.gpr[register] = theirs.gpr[register] ?? 0n;
    const expected = {
      ...before,
      rip: before.rip + BigInt(length),
      ...(what === 'wrmsr' ? modelSpecific(theirs) : {}),
    };
    const differences = compareRegisters(theirs, expected, false);
    // With an interrupt here QEMU may stand in its handler already: #interruptHere compares.
    if (differences.length > 0 && !this.#options.interrupts.includes(to)) {
      this.#diverge(from, to, `registers differ around ${what}`, differences);
      return;
    }
    ours.writeRegs(expected);
    if (!behind) ours.passOver();
    if (what === 'rdtsc') ours.learnClock(Number(((theirs.gpr[2] ?? 0n) << 32n) | (theirs.gpr[0] ?? 0n)));
    this.#position = to;
  }

  /** An interrupt that QEMU takes at this count. */
  #interruptHere(): void {
    const { leader, ours } = this.#options;
    const at = this.#position;
    this.#handled = at;
    let theirs = leader.readRegs();
    // QEMU stops before the delivery or behind it, as it happens.
    const before = compareRegisters(theirs, ours.readRegs(), false).length === 0;
    if (before) {
      if (!this.#leaderTo(at + 1)) return;
      theirs = leader.readRegs();
    }
    const vector = leader.vectorInService();
    if (vector === undefined) {
      this.#diverge(at, at, 'an interrupt without a vector in the local APIC', []);
      return;
    }
    const refused = ours.interrupt(vector);
    if (refused !== 0) {
      this.#diverge(at, at, `delivery of vector ${vector} ended with exit ${refused}`, []);
      return;
    }
    this.#count(`interrupt ${vector}`);
    const stop = before ? ours.runInstructions(1) : undefined;
    const to = at + (before ? 1 : 0);
    if (stop !== undefined && stop.kind !== 'count') this.#diverge(at, to, `behind vector ${vector}: ${why(stop)}`, []);
    else if (this.#same(at, to, theirs)) this.#position = to;
  }

  #same(from: number, at: number, theirs: RegisterFile): boolean {
    const { ours } = this.#options;
    const mine = ours.readRegs();
    const differences = compareRegisters(theirs, mine, false);
    if (differences.length > 0) {
      this.#diverge(from, at, 'registers differ', differences);
      return false;
    }
    if (((theirs.rflags ^ mine.rflags) & 0x8d5) !== 0) {
      this.#flagsDiffered++;
      ours.engine.cpu.rflags = BigInt(theirs.rflags);
    }
    return true;
  }

  #compareMemory(): void {
    const different = differingMemory(this.#options);
    if (different.length > 0) this.#diverge(this.#position, this.#position, 'memory differs', [], different);
  }

  #leaderTo(position: number): boolean {
    if (position === this.#leaderAt) return true;
    this.#stops++;
    this.#leaderAt = position;
    if (this.#options.leader.runTo(position)) return true;
    this.#diverge(this.#position, position, 'QEMU ended before', []);
    return false;
  }

  #count(what: string): void {
    this.#taken.set(what, (this.#taken.get(what) ?? 0) + 1);
  }

  #diverge(
    from: number,
    at: number,
    reason: string,
    differences: readonly RegisterDifference[],
    memory: readonly number[] = [],
  ): void {
    this.#divergence ??= { from, at, why: reason, differences, memory };
  }
}

/** Registers, descriptor state and memory of QEMU into ours. MSRs that neither shows (STAR and its like) stay as they are. */
export function copyAll(leader: QemuMachine, ours: EngineMachine, memory: number): void {
  copyMemory(leader, ours, memory);
  ours.writeSystem(leader.readSystem());
  ours.writeRegs(leader.readRegs());
}

/** General registers that an instruction takes from outside, by its mnemonic. */
const WRITES: ReadonlyMap<string, readonly number[]> = new Map([
  ['in', [0]],
  ['out', []],
  ['rdtsc', [0, 2]],
  ['rdtscp', [0, 1, 2]],
  ['cpuid', [0, 1, 2, 3]],
  ['rdmsr', [0, 2]],
  ['wrmsr', []],
  ['mov cr8', []],
  ['vmcall', [0]],
]);

/** Of RegisterFile, what a WRMSR may change. */
function modelSpecific({ fsBase, gsBase, kernelGsBase, efer, cr8 }: RegisterFile): Partial<RegisterFile> {
  return { fsBase, gsBase, kernelGsBase, efer, cr8 };
}

const PIECE = 1 << 24;

function copyMemory(leader: QemuMachine, ours: EngineMachine, memory: number): void {
  for (let at = 0; at < memory; at += PIECE) ours.writeMemory(at, leader.readMemory(at, Math.min(PIECE, memory - at)));
}

/** Addresses of the first 64-byte pieces that differ, at most 32. */
export function differingMemory({ leader, ours, memory }: Pick<FollowOptions, 'leader' | 'ours' | 'memory'>): number[] {
  const found: number[] = [];
  for (let at = 0; at < memory && found.length < 32; at += PIECE) {
    const size = Math.min(PIECE, memory - at);
    const theirs = leader.readMemory(at, size);
    const mine = ours.readMemory(at, size);
    if (Buffer.compare(theirs, mine) === 0) continue;
    for (let offset = 0; offset < size && found.length < 32; offset += 64)
      if (Buffer.compare(theirs.subarray(offset, offset + 64), mine.subarray(offset, offset + 64)) !== 0)
        found.push(at + offset);
  }
  return found;
}

/** INS, or MOVS which may read a device. */
function isStringInput(bytes: Uint8Array): boolean {
  const opcode = bytes.find((byte) => ![0xf2, 0xf3, 0x66, 0x67].includes(byte) && (byte & 0xf0) !== 0x40) ?? 0;
  return opcode === 0x6c || opcode === 0x6d || opcode === 0xa4 || opcode === 0xa5;
}

function why(stop: StopReason): string {
  switch (stop.kind) {
    case 'unsupported':
      return `our engine can't run ${stop.why}`;
    case 'exception':
      return `exception ${stop.vector}`;
    case 'outside':
      return 'an instruction from outside';
    case 'count':
    case 'breakpoint':
    case 'halt':
    case 'shutdown':
      return stop.kind;
  }
}
