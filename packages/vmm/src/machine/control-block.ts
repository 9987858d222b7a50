import type { ExitKind } from '@unpin/kvm';

/** Exits are counted by reason; the order is the order of the counters in shared memory. */
export const EXIT_KINDS = [
  'io',
  'mmio',
  'hypercall',
  'memory-fault',
  'rdmsr',
  'wrmsr',
  'hlt',
  'shutdown',
  'fail-entry',
  'system-event',
  'internal-error',
  'intr',
  'irq-window-open',
  'unsupported',
] as const satisfies readonly ExitKind[];

/** Counters besides the exits. */
const COUNTERS = ['conversions', 'lies', 'wrongViewAccesses', 'saturatedPages'] as const;
export type CounterName = (typeof COUNTERS)[number];

/** Why the main thread wants the machine to end. 0: it doesn't. */
export const STOP_REASONS = ['none', 'stopped', 'timeout', 'stuck'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

const WORDS = {
  stop: 0,
  ticks: 1,
  heartbeat: 2,
  figuresWanted: 3,
  halted: 4,
  cpl: 5,
  traced: 6,
  samplesWanted: 7,
  snapshotsWanted: 8,
} as const;
const WORD_COUNT = 10;
/** Doubles after the words (an even number of them): the sampled RIP, then the counters. Each has one writer, the machine's thread. */
const RIP = 0;
const FIRST_EXIT = 1;
const FIRST_COUNTER = FIRST_EXIT + EXIT_KINDS.length;
const DOUBLE_COUNT = FIRST_COUNTER + COUNTERS.length;

/** What the machine's thread saw when it was kicked. */
export interface VcpuSample {
  /** As a double: exact below 2^53, and near enough above to tell a loop from progress. */
  readonly rip: number;
  readonly halted: boolean;
  /** Current privilege level, 0 for the kernel. */
  readonly cpl: number;
}

const exitIndex = new Map<ExitKind, number>(EXIT_KINDS.map((kind, index) => [kind, FIRST_EXIT + index]));

/** What main thread and machine thread share: requests one way, counters and signs of life the other. */
export class ControlBlock {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #doubles: Float64Array<SharedArrayBuffer>;

  constructor(buffer = new SharedArrayBuffer(WORD_COUNT * 4 + DOUBLE_COUNT * 8)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, WORD_COUNT);
    this.#doubles = new Float64Array(buffer, WORD_COUNT * 4, DOUBLE_COUNT);
  }

  /** Main thread. The first reason stays. */
  requestStop(reason: Exclude<StopReason, 'none'>): void {
    Atomics.compareExchange(this.#words, WORDS.stop, 0, STOP_REASONS.indexOf(reason));
  }

  get stopReason(): StopReason {
    return STOP_REASONS[Atomics.load(this.#words, WORDS.stop)] ?? 'stopped';
  }

  /** Main thread: asks for a sample; answered when `heartbeat` has caught up with the value returned. */
  requestTick(): number {
    return (Atomics.add(this.#words, WORDS.ticks, 1) + 1) | 0;
  }

  get heartbeat(): number {
    return Atomics.load(this.#words, WORDS.heartbeat);
  }

  /** Machine thread: whether a sample is wanted that was not given yet. */
  get tickWanted(): boolean {
    return Atomics.load(this.#words, WORDS.ticks) !== Atomics.load(this.#words, WORDS.heartbeat);
  }

  /** Machine thread: answers all ticks that were asked for so far. */
  answerTick(sample: VcpuSample): void {
    const ticks = Atomics.load(this.#words, WORDS.ticks);
    this.#doubles[RIP] = sample.rip;
    Atomics.store(this.#words, WORDS.halted, sample.halted ? 1 : 0);
    Atomics.store(this.#words, WORDS.cpl, sample.cpl);
    Atomics.store(this.#words, WORDS.heartbeat, ticks);
  }

  get sample(): VcpuSample {
    return {
      rip: this.#doubles[RIP] ?? 0,
      halted: Atomics.load(this.#words, WORDS.halted) === 1,
      cpl: Atomics.load(this.#words, WORDS.cpl),
    };
  }

  /** Main thread: what is traced from now on, as bits of `TRACE_BITS`; 0 for nothing. A kick makes it known at once. */
  trace(kinds: number): void {
    Atomics.store(this.#words, WORDS.traced, kinds);
  }

  /**
   * Machine thread, once an exit: all that tracing costs where nobody traces. A plain load, since an atomic one is a
   * call: a word isn't torn, and the runs between two looks keep it from being kept in a register.
   */
  get traced(): number {
    return this.#words[WORDS.traced] ?? 0;
  }

  /** Main thread: wants a sample in the trace; a kick gets it. */
  requestSample(): void {
    Atomics.add(this.#words, WORDS.samplesWanted, 1);
  }

  get samplesWanted(): number {
    return Atomics.load(this.#words, WORDS.samplesWanted);
  }

  /** Main thread: a request for a snapshot lies in the machine thread's letter box. */
  requestSnapshot(): void {
    Atomics.add(this.#words, WORDS.snapshotsWanted, 1);
  }

  get snapshotsWanted(): number {
    return Atomics.load(this.#words, WORDS.snapshotsWanted);
  }

  /** Main thread: wants figures; the machine posts them with this number or a later one. */
  requestFigures(): number {
    return (Atomics.add(this.#words, WORDS.figuresWanted, 1) + 1) | 0;
  }

  get figuresWanted(): number {
    return Atomics.load(this.#words, WORDS.figuresWanted);
  }

  /** Machine thread, once an exit: no lookup by name on the hot path but one. */
  countExit(kind: ExitKind): void {
    const at = exitIndex.get(kind) ?? FIRST_EXIT;
    this.#doubles[at] = (this.#doubles[at] ?? 0) + 1;
  }

  count(name: CounterName, by = 1): void {
    const at = FIRST_COUNTER + COUNTERS.indexOf(name);
    this.#doubles[at] = (this.#doubles[at] ?? 0) + by;
  }

  /** Machine thread: a machine that starts again counts from zero. */
  resetCounters(): void {
    this.#doubles.fill(0);
  }

  counter(name: CounterName): number {
    return this.#doubles[FIRST_COUNTER + COUNTERS.indexOf(name)] ?? 0;
  }

  /** Exits by reason, those that happened. */
  exits(): Record<string, number> {
    const entries = EXIT_KINDS.map((kind, index) => [kind, this.#doubles[FIRST_EXIT + index] ?? 0] as const);
    return Object.fromEntries(entries.filter(([, count]) => count > 0));
  }

  /** All exits but those that a kick causes: the guest's own doing. */
  guestExits(): number {
    return EXIT_KINDS.reduce(
      (sum, kind, index) => (kind === 'intr' ? sum : sum + (this.#doubles[FIRST_EXIT + index] ?? 0)),
      0,
    );
  }
}
