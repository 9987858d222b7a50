import type { Conversion, Figures, LaunchOrder, Lie, VmEvent, VmReport, VmState } from '@unpin/contract';
import type { MemoryFigures } from '@unpin/kvm';
import { isConfidential, type Regime, vmType } from '@unpin/policy';
import type { ControlBlock } from '../machine/control-block.ts';
import type { ConversionRecord, LieRecord, MachineMessage } from '../machine/messages.ts';
import { Journal } from './journal.ts';

/** Entries kept of each kind; totals count on. */
const KEPT_EVENTS = 1024;
const KEPT_CONVERSIONS = 4096;
const KEPT_LIES = 1024;

/** A RIP's name, where it is known already. */
export type Naming = (rip: bigint) => string | undefined;

/** Numbered, but not yet put into the contract's words: symbols are looked up when someone reads. */
export type Numbered<T> = T & { readonly seq: number };

/** All that the main thread knows of its VM, fed by the machine's messages. */
export class VmRecord {
  readonly order: LaunchOrder;
  readonly events = new Journal<VmEvent>(KEPT_EVENTS);
  readonly conversions = new Journal<Numbered<ConversionRecord>>(KEPT_CONVERSIONS);
  readonly lies = new Journal<Numbered<LieRecord>>(KEPT_LIES);
  readonly #control: ControlBlock;
  readonly #startMs: number;
  #state: VmState = 'preparing';
  #regime: Regime;
  #kernel: string | undefined;
  #cBit: number | null = null;
  #privateMemory = 'memslots';
  #memory: MemoryFigures;
  #firstInstructionMs: number | undefined;
  #lastLineMs: number | undefined;
  #pinMs: number | undefined;
  #probation: string | undefined;
  #ending: VmReport['ending'];

  /** @param startMs when the process started, of `nowMs` */
  constructor(order: LaunchOrder, control: ControlBlock, startMs: number) {
    this.order = order;
    this.#control = control;
    this.#startMs = startMs;
    this.#regime = order.regime;
    this.#memory = { nominal: order.memoryBytes, resident: 0, private: 0, shared: 0, pinned: 0, unmovable: 0 };
    if (order.probation !== undefined) this.#probation = 'on probation: the guest has not reported yet';
  }

  get state(): VmState {
    return this.#state;
  }

  /** On the clock of `nowMs`; undefined before. */
  get firstInstructionMs(): number | undefined {
    return this.#firstInstructionMs;
  }

  /** What the machine's thread said, except its ending. */
  take(message: Exclude<MachineMessage, { kind: 'ended' | 'kick-target' | 'snapshot' | 'restored-console' }>): void {
    switch (message.kind) {
      case 'state':
        this.#state = message.state;
        this.note(STEPS[message.state], message.atMs);
        this.#regime = message.regimeOf === this.order.type ? this.order.regime : this.#fallbackRegime();
        return;
      case 'event':
        this.note(message.what, message.atMs, message.progress);
        return;
      case 'facts':
        this.#kernel = message.kernel;
        this.#cBit = message.cBit;
        this.#privateMemory = message.privateMemory;
        return;
      case 'pinned':
        this.#pinMs = message.milliseconds;
        return;
      case 'first-instruction':
        this.#firstInstructionMs = message.atMs;
        return;
      case 'conversions':
        for (const entry of message.records) this.conversions.append((seq) => ({ ...entry, seq }));
        return;
      case 'lies':
        for (const entry of message.records) this.lies.append((seq) => ({ ...entry, seq }));
        return;
      case 'figures':
        this.#memory = message.memory;
        return;
      case 'probation':
        this.#probation = message.text;
    }
  }

  note(what: string, atMs: number, progress?: number): void {
    this.events.append((seq) => ({
      seq,
      atMs: tenths(atMs - this.#startMs),
      what,
      ...(progress === undefined ? {} : { progress }),
    }));
  }

  /** The console printed the end of a line. */
  lineEnded(atMs: number): void {
    this.#lastLineMs = atMs;
  }

  end(state: 'ended' | 'failed', ending: NonNullable<VmReport['ending']>): void {
    this.#state = state;
    this.#ending = ending;
  }

  figures(): Figures {
    const since = (at: number | undefined) => (at === undefined ? undefined : tenths(at - this.#startMs));
    const startMs = since(this.#firstInstructionMs);
    const lastLineMs = since(this.#lastLineMs);
    return {
      ...this.#memory,
      conversions: this.#control.counter('conversions'),
      exits: this.#control.exits(),
      ...(startMs === undefined ? {} : { startMs }),
      ...(lastLineMs === undefined ? {} : { lastLineMs }),
      ...(this.#pinMs === undefined ? {} : { pinMs: tenths(this.#pinMs) }),
    };
  }

  report(): VmReport {
    const { name, execution, memoryBytes } = this.order;
    const saturatedPages = this.#control.counter('saturatedPages');
    return {
      name,
      pid: process.pid,
      state: this.#state,
      type: this.#regime.type,
      regime: this.#regime,
      execution,
      confidential: isConfidential(vmType(this.#regime.type), execution),
      mark: MARKS[execution],
      ...(this.#kernel === undefined ? {} : { kernel: this.#kernel }),
      memoryBytes,
      ...(this.#cBit === null ? {} : { cBit: this.#cBit }),
      privateMemory: this.#privateMemory,
      figures: this.figures(),
      lies: this.#control.counter('lies'),
      wrongViewAccesses: this.#control.counter('wrongViewAccesses'),
      ...(saturatedPages === 0 ? {} : { saturatedPages }),
      ...(this.#probation === undefined ? {} : { probation: this.#probation }),
      ...(this.#ending === undefined ? {} : { ending: this.#ending }),
    };
  }

  conversionMessage(entry: Numbered<ConversionRecord>, nameOf: Naming): Conversion {
    const { seq, gpa, bytes, to, changedBytes, discardedBytes, microseconds, ret } = entry;
    const place = placeOf(entry.rip, nameOf);
    return {
      seq,
      atMs: this.#sinceFirst(entry.atMs),
      gpa,
      bytes,
      to,
      ...place,
      changedBytes,
      discardedBytes,
      microseconds,
      ret,
    };
  }

  lieMessage(entry: Numbered<LieRecord>, nameOf: Naming): Lie {
    const { seq, kind, gpa, bytes, view, hostUse, onHardware } = entry;
    return {
      seq,
      atMs: this.#sinceFirst(entry.atMs),
      kind,
      gpa,
      bytes,
      view,
      ...placeOf(entry.rip, nameOf),
      ...(hostUse === undefined ? {} : { hostUse }),
      onHardware,
    };
  }

  #sinceFirst(atMs: number): number {
    return tenths(atMs - (this.#firstInstructionMs ?? atMs));
  }

  #fallbackRegime(): Regime {
    return this.order.probation?.fallbackRegime ?? this.order.regime;
  }
}

/** What a state is called among the steps of a start. */
const STEPS: Readonly<Record<VmState, string>> = {
  preparing: 'making the VM and its memory',
  pinning: 'pinning all memory',
  loading: 'loading the boot set',
  running: 'running',
  restarting: 'starting again, pinned',
  ended: 'ended',
  failed: 'failed',
};

const MARKS: Readonly<Record<LaunchOrder['execution'], string>> = {
  hardware: '',
  shaped: 'SHAPED',
  emulated: 'EMULATED',
};

/** A RIP in hexadecimal, with its symbol where it has one. */
export function placeOf(rip: bigint, nameOf: Naming): { rip: string; symbol?: string } {
  const symbol = nameOf(rip);
  return { rip: `0x${rip.toString(16)}`, ...(symbol === undefined ? {} : { symbol }) };
}

function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
