import type { VmParts } from '../vm-parts.ts';
import type { Processor } from './processor.ts';

/** Instructions that run at most before the loop looks around: one or two milliseconds. */
const LONGEST = 100_000;
/** And at least, so that a deadline which is close costs no loop of its own. */
const SHORTEST = 1_000;
/** Slices too short to tell a speed. */
const TELLING = 20_000;
/** Fraction bits of TSC_RATE: one tick an instruction. */
const ONE_TICK = 1n << 16n;

/** Runs the engine for as long as nothing else is due, and lets deterministic time go on by what was run. */
export class Slices {
  readonly #vm: VmParts;
  readonly #processor: Processor;
  /** Instructions a nanosecond, as it was measured. */
  #speed = 0.05;
  #last = 0;
  #lastRetired = 0;
  /** No further than this, in instructions retired in all. */
  #end = Number.POSITIVE_INFINITY;

  constructor(vm: VmParts, processor: Processor) {
    this.#vm = vm;
    this.#processor = processor;
  }

  /** Instructions retired and events delivered since the vCPU was made. Exact below 2^53. */
  get retired(): number {
    return this.#processor.engine.retired;
  }

  /** Whether the vCPU has come to where it was to stop. */
  get isAtEnd(): boolean {
    return this.#end !== Number.POSITIVE_INFINITY && this.retired >= this.#end;
  }

  stopAt(retired: number): void {
    this.#end = retired;
  }

  /** How many instructions until the next timer is due. */
  budget(now: number): number {
    const { time, controllers } = this.#vm;
    if (!time.isDeterministic) this.#measure(now);
    const left = controllers.nextDeadline() - now;
    const instructions = Math.ceil(time.isDeterministic ? left / this.#nanosecondsEach() : left * this.#speed);
    const bounded = Math.max(Math.min(instructions, LONGEST), time.isDeterministic ? 1 : SHORTEST);
    return this.#end === Number.POSITIVE_INFINITY ? bounded : Math.max(1, Math.min(bounded, this.#end - this.retired));
  }

  /** Answers EXIT_*. */
  run(budget: number): number {
    const { time, core } = this.#vm;
    core().settle();
    const { engine } = this.#processor;
    if (!time.isDeterministic) return engine.run(budget);
    const before = this.retired;
    this.#setCounter(before);
    // Exactly: when a timer fires must not depend on what else ended runs before.
    const reason = budget === 0 ? engine.run(0) : engine.runExactly(budget);
    time.advance((this.retired - before) * this.#nanosecondsEach());
    return reason;
  }

  #nanosecondsEach(): number {
    return 1e6 / this.#vm.tscKhz;
  }

  /** From here on the engine counts the time-stamp counter by itself. */
  #setCounter(retired: number): void {
    const { cpu } = this.#processor.engine;
    cpu.set('tscRate', (ONE_TICK * BigInt(this.#processor.counter.khz)) / BigInt(this.#vm.tscKhz));
    const now = { high: 0, low: 0 };
    this.#processor.counter.read(now);
    const counted = (BigInt(retired) * cpu.get('tscRate')) >> 16n;
    cpu.set('tscOffset', ((BigInt(now.high) << 32n) | BigInt(now.low)) - counted);
  }

  #measure(now: number): void {
    const retired = this.retired;
    const done = retired - this.#lastRetired;
    if (done >= TELLING && now > this.#last) this.#speed += (done / (now - this.#last) - this.#speed) / 8;
    this.#last = now;
    this.#lastRetired = retired;
  }
}
