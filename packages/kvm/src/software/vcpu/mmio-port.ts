import type { InterruptControllers, LocalApic } from '../irq/index.ts';

/** An access whose answer is known: by user space, or by a device in KVM that must not be asked again. */
interface Answered {
  readonly gpa: number;
  readonly size: number;
  readonly isWrite: boolean;
  readonly low: number;
  readonly high: number;
}

export interface MmioPortParts {
  readonly controllers: InterruptControllers;
  readonly apic: () => LocalApic | null;
  /** Told after a write to the local APIC: true ends the run, so that an interrupt which waits is looked at. */
  readonly apicWritten: () => boolean;
  readonly isLate: () => boolean;
}

const WORD_BYTES = 4;

/**
 * The engine's accesses to addresses without memory. An instruction that user space must answer is done again from its
 * start: what it has asked until then is answered from a list, in order.
 */
export class MmioPort {
  readonly #controllers: InterruptControllers;
  readonly #apic: () => LocalApic | null;
  readonly #apicWritten: () => boolean;
  /** Whether the clock stands where the run began, and not at this instruction. */
  readonly #isLate: () => boolean;
  readonly #bytes = new Uint8Array(8);
  readonly #view = new DataView(this.#bytes.buffer);
  #answered: Answered[] = [];
  #next = 0;
  /** The access that ended the run was answered already: nobody has to be asked. */
  endedAnswered = false;
  /** The access ended the run only so that time comes up to it. */
  endedEarly = false;

  constructor({ controllers, apic, apicWritten, isLate }: MmioPortParts) {
    this.#controllers = controllers;
    this.#apic = apic;
    this.#apicWritten = apicWritten;
    this.#isLate = isLate;
  }

  /** The instruction at RIP is another one from now on. */
  forget(): void {
    if (this.#answered.length > 0) this.#answered = [];
    this.#next = 0;
  }

  /** The instruction is done again from its start. */
  repeat(): void {
    this.#next = 0;
  }

  /** User space has answered the last access. */
  add(gpa: number, isWrite: boolean, data: Uint8Array): void {
    this.#bytes.fill(0);
    this.#bytes.set(data);
    const low = this.#view.getUint32(0, true);
    const high = this.#view.getUint32(WORD_BYTES, true);
    this.#answered.push({ gpa, size: data.length, isWrite, low, high });
  }

  /** See EngineHost.mmio. */
  access(gpa: number, size: number, isWrite: boolean, low: number, high: number, answer: Uint32Array): boolean {
    const known = this.#answered[this.#next];
    if (known !== undefined && known.gpa === gpa && known.size === size && known.isWrite === isWrite) {
      this.#next += 1;
      answer[0] = known.low;
      answer[1] = known.high;
      return true;
    }
    if (this.#isLate()) {
      this.endedEarly = true;
      return false;
    }
    return isWrite ? this.#write(gpa, size, low, high) : this.#read(gpa, size, answer);
  }

  #read(gpa: number, size: number, answer: Uint32Array): boolean {
    this.#bytes.fill(0);
    if (!this.#controllers.readMmio(this.#apic(), gpa, this.#bytes.subarray(0, size))) return false;
    answer[0] = this.#view.getUint32(0, true);
    answer[1] = this.#view.getUint32(WORD_BYTES, true);
    return true;
  }

  #write(gpa: number, size: number, low: number, high: number): boolean {
    this.#view.setUint32(0, low, true);
    this.#view.setUint32(WORD_BYTES, high, true);
    const data = this.#bytes.subarray(0, size);
    if (!this.#controllers.writeMmio(this.#apic(), gpa, data)) return false;
    if (!this.#apicWritten()) return true;
    this.add(gpa, true, data);
    this.endedAnswered = true;
    return false;
  }
}
