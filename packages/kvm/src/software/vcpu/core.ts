import { Engine, type EngineHost } from '@unpin/x86';
import type { PhysicalMemory } from '../memory/index.ts';

/** A vCPU as the core sees it: what it asks while it runs, and where its registers wait when it doesn't. */
export interface CoreGuest extends EngineHost {
  /** STATE_BYTES of @unpin/x86. */
  readonly saved: Uint8Array;
}

/**
 * The one processor core of a software KVM. vCPUs take turns on it as on hardware: state in, state out, and nothing of
 * the last one stays in its TLBs. Decoded code stays: it belongs to host frames.
 */
export class Core implements EngineHost {
  readonly engine: Engine;
  #guest: CoreGuest | null = null;
  /** Frames or mappings changed: the TLBs must be emptied before the guest goes on. */
  #isStale = false;

  constructor(memory: WebAssembly.Memory, frames: PhysicalMemory) {
    this.engine = new Engine(this, memory);
    frames.onChange((address) => {
      // What was decoded from its bytes as they were means nothing any more.
      this.engine.code.written(address, 0, 4096);
      this.#isStale = true;
    });
    frames.onWrite((address, length) => this.engine.code.written((address & ~0xfff) >>> 0, address & 0xfff, length));
  }

  /** Brings a vCPU's registers onto the core. */
  use(guest: CoreGuest): void {
    if (this.#guest === guest) return;
    const { cpu } = this.engine;
    if (this.#guest !== null) cpu.save(this.#guest.saved);
    this.#guest = guest;
    cpu.load(guest.saved);
    this.engine.flushTlbs();
    this.#isStale = false;
  }

  /** A copy of a vCPU's state block, wherever its registers are now. */
  stateOf(guest: CoreGuest): Uint8Array {
    if (this.#guest === guest) this.engine.cpu.save(guest.saved);
    return guest.saved.slice();
  }

  /** Gives a vCPU a saved state block. It is on the core afterwards. */
  resume(guest: CoreGuest, state: Uint8Array): void {
    this.use(guest);
    this.engine.cpu.load(state);
  }

  /** The vCPU is gone: its registers aren't saved any more. */
  leave(guest: CoreGuest): void {
    if (this.#guest === guest) this.#guest = null;
  }

  /** What guest pages lead to has changed. */
  mappingsChanged(): void {
    this.#isStale = true;
  }

  /** Before the guest goes on. */
  settle(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    this.engine.flushTlbs();
  }

  fill(guestFrame: number, access: number, encrypted: boolean): number {
    if (this.#guest === null) throw new Error('no vCPU is on the core');
    const answer = this.#guest.fill(guestFrame, access, encrypted);
    // A frame that came in another view took its old one from whoever had it.
    this.settle();
    return answer;
  }

  mmio(gpa: number, size: number, isWrite: boolean, low: number, high: number, answer: Uint32Array): boolean {
    return this.#guest?.mmio(gpa, size, isWrite, low, high, answer) ?? false;
  }

  tsc(): number {
    return this.#guest?.tsc() ?? 0;
  }

  exception(): void {
    this.#guest?.exception?.();
  }
}
