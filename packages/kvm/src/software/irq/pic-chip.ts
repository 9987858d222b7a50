import { PIC_STATE } from './irqchip-structs.ts';

/** What the next write to the odd port is: a mask, or one of the initialisation words ICW2 to ICW4. */
type InitState = 0 | 1 | 2 | 3;

/** KVM's answer to a poll where no line is wanted; the data sheet only says that bit 7 is 0. */
const POLL_NOTHING = 7;

export interface PicChipOptions {
  /** Lines that the ELCR may make level-triggered. */
  readonly elcrMask: number;
  /** The line that another 8259 hangs on: 1 << 2 for the master, 0 for a slave. */
  readonly cascade: number;
  /** The end of a line's interrupt. */
  acked(line: number): void;
  masked(line: number, isMasked: boolean): void;
  /** The chip was polled, and a line taken: what it asked of another chip is over. */
  polled(): void;
  /** Something changed that may change the chip's request. */
  settle(): void;
}

/**
 * One 8259A (Intel data sheet 231468). Lines are 0 to 7; masks have a bit a line. Where KVM's differs, KVM is followed:
 * special mask mode is kept and has no effect, and a line taken by the poll command is never in service.
 */
export class PicChip {
  readonly #options: PicChipOptions;
  /** Interrupt request, in service and mask registers. */
  #irr = 0;
  #isr = 0;
  #imr = 0;
  /** Lines that are up, to find edges. */
  #lines = 0;
  /** The line of the highest priority: rotation moves it. */
  #first = 0;
  #vectorBase = 0;
  #elcr = 0;
  #init: InitState = 0;
  #needsIcw4 = 0;
  #readsIsr = 0;
  #polls = 0;
  #specialMask = 0;
  #autoEoi = 0;
  #rotatesOnAutoEoi = 0;
  #specialFullyNested = 0;

  constructor(options: PicChipOptions) {
    this.#options = options;
  }

  get elcr(): number {
    return this.#elcr;
  }

  set elcr(value: number) {
    this.#elcr = value & this.#options.elcrMask;
  }

  setLine(line: number, level: boolean): void {
    const bit = 1 << line;
    const isRising = level && (this.#lines & bit) === 0;
    this.#lines = level ? this.#lines | bit : this.#lines & ~bit;
    if ((this.#elcr & bit) !== 0) this.#irr = level ? this.#irr | bit : this.#irr & ~bit;
    else if (isRising) this.#irr |= bit;
  }

  /** The line whose interrupt the chip wants, or -1. */
  request(): number {
    const wanted = this.#rank(this.#irr & ~this.#imr);
    let serviced = this.#isr;
    // Special fully nested mode: the slave's own priorities decide among its lines.
    if (this.#specialFullyNested !== 0) serviced &= ~this.#options.cascade;
    return wanted < this.#rank(serviced) ? this.#lineOf(wanted) : -1;
  }

  /** The processor's acknowledge cycle. Answers the line: 7 where nothing is wanted any more (a spurious one). */
  acknowledge(): number {
    const line = this.request();
    if (line < 0) return 7;
    const bit = 1 << line;
    this.#isr |= bit;
    if ((this.#elcr & bit) === 0) this.#irr &= ~bit;
    if (this.#autoEoi !== 0) {
      if (this.#rotatesOnAutoEoi !== 0) this.#first = (line + 1) & 7;
      this.#end(line);
    }
    return line;
  }

  /** The other chip's request was taken by a poll of that chip. */
  dropCascade(): void {
    this.#irr &= ~this.#options.cascade;
    this.#isr &= ~this.#options.cascade;
  }

  vectorOf(line: number): number {
    return this.#vectorBase + line;
  }

  /** The even port (0) or the odd one (1). */
  read(port: 0 | 1): number {
    if (this.#polls !== 0) return this.#poll();
    if (port === 1) return this.#imr;
    return this.#readsIsr === 0 ? this.#irr : this.#isr;
  }

  write(port: 0 | 1, value: number): void {
    if (port === 1) this.#writeOdd(value);
    else if ((value & 0x10) !== 0) this.#writeIcw1(value);
    else if ((value & 0x08) !== 0) this.#writeOcw3(value);
    else this.#writeOcw2(value);
  }

  /** struct kvm_pic_state. */
  save(): Uint8Array {
    const state = PIC_STATE.make();
    state.set('last_irr', this.#lines).set('irr', this.#irr).set('imr', this.#imr).set('isr', this.#isr);
    state.set('priority_add', this.#first).set('irq_base', this.#vectorBase).set('read_reg_select', this.#readsIsr);
    state.set('poll', this.#polls).set('special_mask', this.#specialMask).set('init_state', this.#init);
    state.set('auto_eoi', this.#autoEoi).set('rotate_on_auto_eoi', this.#rotatesOnAutoEoi);
    state.set('special_fully_nested_mode', this.#specialFullyNested).set('init4', this.#needsIcw4);
    return state.set('elcr', this.#elcr).set('elcr_mask', this.#options.elcrMask).bytes;
  }

  restore(bytes: Uint8Array): void {
    const state = PIC_STATE.at(bytes.slice().buffer);
    this.#lines = state.get('last_irr');
    this.#irr = state.get('irr');
    this.#imr = state.get('imr');
    this.#isr = state.get('isr');
    this.#first = state.get('priority_add') & 7;
    this.#vectorBase = state.get('irq_base');
    this.#readsIsr = state.get('read_reg_select');
    this.#polls = state.get('poll');
    this.#specialMask = state.get('special_mask');
    this.#init = (state.get('init_state') & 3) as InitState;
    this.#autoEoi = state.get('auto_eoi');
    this.#rotatesOnAutoEoi = state.get('rotate_on_auto_eoi');
    this.#specialFullyNested = state.get('special_fully_nested_mode');
    this.#needsIcw4 = state.get('init4');
    this.elcr = state.get('elcr');
  }

  /** How many lines stand before the first one of a mask: 0 to 7, or 8 where it is empty. */
  #rank(mask: number): number {
    let rank = 0;
    while (rank < 8 && (mask & (1 << this.#lineOf(rank))) === 0) rank += 1;
    return rank;
  }

  #lineOf(rank: number): number {
    return (rank + this.#first) & 7;
  }

  #end(line: number): void {
    this.#isr &= ~(1 << line);
    this.#options.acked(line);
  }

  /** A read after the poll command: bit 7, and the line, where one was wanted, which is over with that. */
  #poll(): number {
    this.#polls = 0;
    const line = this.request();
    if (line >= 0) {
      this.#options.polled();
      this.#irr &= ~(1 << line);
      this.#end(line);
    }
    // KVM doesn't look again where the master's answer is "the slave": its INTR stays up.
    if (line < 0 || (this.#options.cascade & (1 << line)) === 0) this.#options.settle();
    return line < 0 ? POLL_NOTHING : 0x80 | line;
  }

  #writeIcw1(value: number): void {
    // Edges are forgotten; levels are still there. What is in service stays so, as in KVM.
    const edges = this.#irr & ~this.#elcr;
    this.#irr &= this.#elcr;
    this.#lines = 0;
    this.#imr = 0;
    this.#first = 0;
    this.#specialMask = 0;
    this.#readsIsr = 0;
    this.#needsIcw4 = value & 1;
    if (this.#needsIcw4 === 0) {
      this.#autoEoi = 0;
      this.#specialFullyNested = 0;
    }
    this.#init = 1;
    for (let line = 0; line < 8; line += 1) if ((edges & (1 << line)) !== 0) this.#end(line);
  }

  #writeOdd(value: number): void {
    switch (this.#init) {
      case 0:
        this.#writeMask(value);
        break;
      case 1:
        this.#vectorBase = value & 0xf8;
        this.#init = 2;
        break;
      case 2:
        // ICW3 says how the two chips are wired; that is how they are.
        this.#init = this.#needsIcw4 === 0 ? 0 : 3;
        break;
      case 3:
        this.#specialFullyNested = (value >>> 4) & 1;
        this.#autoEoi = (value >>> 1) & 1;
        this.#init = 0;
        break;
    }
  }

  #writeMask(value: number): void {
    const changed = this.#imr ^ value;
    this.#imr = value;
    for (let line = 0; line < 8; line += 1)
      if ((changed & (1 << line)) !== 0) this.#options.masked(line, (value & (1 << line)) !== 0);
    this.#options.settle();
  }

  /** Bits 7:5 are rotate, specific, end of interrupt. */
  #writeOcw2(value: number): void {
    const rotates = (value & 0x80) !== 0;
    const isSpecific = (value & 0x40) !== 0;
    if ((value & 0x20) === 0) {
      if (!isSpecific) this.#rotatesOnAutoEoi = rotates ? 1 : 0;
      else if (rotates) this.#setFirst(value + 1);
      return;
    }
    const line = isSpecific ? value & 7 : this.#highestInService();
    if (line < 0) return;
    this.#end(line);
    if (rotates) this.#first = (line + 1) & 7;
    this.#options.settle();
  }

  #setFirst(line: number): void {
    this.#first = line & 7;
    this.#options.settle();
  }

  /** What a non-specific end of interrupt means, or -1. */
  #highestInService(): number {
    const rank = this.#rank(this.#isr);
    return rank === 8 ? -1 : this.#lineOf(rank);
  }

  #writeOcw3(value: number): void {
    if ((value & 0x04) !== 0) this.#polls = 1;
    if ((value & 0x02) !== 0) this.#readsIsr = value & 1;
    if ((value & 0x40) !== 0) this.#specialMask = (value >>> 5) & 1;
  }
}
