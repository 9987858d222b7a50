import { layout } from '@unpin/x86';
import type { VmParts } from '../vm-parts.ts';
import { MP_STATE } from './mp-state.ts';
import type { Processor } from './processor.ts';
import { sleepOn } from './waiting.ts';

const FLAG_IF = 1n << 9n;
/** Nanoseconds, an hour: what has not woken a processor by then never will, though a masked timer may go on ticking. */
const FOR_GOOD = 3600e9;

/** What comes between two instructions: exceptions that user space has queued, NMIs, interrupts; and waiting for them. */
export class Interruptions {
  readonly #vm: VmParts;
  readonly #processor: Processor;

  constructor(vm: VmParts, processor: Processor) {
    this.#vm = vm;
    this.#processor = processor;
  }

  /**
   * Delivers what may be delivered now, one of each kind at most, and has the engine come back for what may not. Answers
   * 0, or the EXIT_* that a delivery ended with: what couldn't be delivered stays queued.
   */
  deliver(): number {
    return this.#deliverException() || this.#deliverNmi() || this.#deliverInterrupt();
  }

  /** Waits until the vCPU has something to do: true. False where it was kicked first. */
  wait(from: number): boolean {
    const { controllers, time, eventWords } = this.#vm;
    const processor = this.#processor;
    let now = from;
    for (;;) {
      processor.takeStartSignals();
      if (this.#isWoken()) return true;
      if (processor.isKicked()) return false;
      const deadline = controllers.nextDeadline();
      if (processor.leavesForGood && deadline > from + FOR_GOOD) return false;
      if (time.isDeterministic && Number.isFinite(deadline)) time.advance(Math.max(0, Math.ceil(deadline - now)));
      else sleepOn(processor.words, processor.eventWord, deadline - now);
      // First the ring is taken, then what it was for is looked at.
      eventWords.takeSignalled(processor.eventWord);
      now = time.now();
      controllers.tick(now);
    }
  }

  #isWoken(): boolean {
    const processor = this.#processor;
    if (!processor.isWaiting()) return true;
    if (processor.mpState !== MP_STATE.halted) return false;
    const { cpu } = processor.engine;
    const { apic } = processor;
    const hasNmi = processor.nmiPending && cpu.word(layout.NMI_BLOCKED) === 0;
    const hasInterrupt = apic !== null && this.#vm.controllers.hasInterrupt(apic) && (cpu.rflags & FLAG_IF) !== 0n;
    if (!hasNmi && !hasInterrupt && processor.interrupt < 0 && processor.queued === null) return false;
    processor.mpState = MP_STATE.runnable;
    return true;
  }

  #deliverException(): number {
    const { queued, engine } = this.#processor;
    if (queued === null) return 0;
    const refused = engine.raise(queued.vector, queued.hasCode ? queued.code : undefined);
    if (refused === 0) this.#processor.queued = null;
    return refused;
  }

  #deliverNmi(): number {
    const processor = this.#processor;
    const { engine } = processor;
    const { cpu } = engine;
    if (!processor.nmiPending || cpu.word(layout.NMI_BLOCKED) !== 0 || cpu.word(layout.IRQ_SHADOW) !== 0) return 0;
    const refused = engine.deliverNmi();
    if (refused === 0) processor.nmiPending = false;
    return refused;
  }

  #deliverInterrupt(): number {
    const processor = this.#processor;
    const { controllers } = this.#vm;
    const { apic, engine } = processor;
    let refused = 0;
    if (processor.interrupt < 0 && apic !== null && controllers.hasInterrupt(apic) && engine.cpu.interruptible)
      processor.interrupt = controllers.takeInterrupt(apic);
    if (processor.interrupt >= 0) {
      refused = engine.deliverInterrupt(processor.interrupt);
      if (refused === 0) processor.interrupt = -1;
    }
    const waits = apic !== null && controllers.hasInterrupt(apic);
    engine.cpu.setWord(layout.IRQ_WAITING, waits ? 1 : 0);
    return refused;
  }
}
