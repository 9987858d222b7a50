import { PAGE_BYTES } from '../../port/guest-memory.ts';
import type { Pin } from '../../port/host-memory.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import type { HostAddressSpace } from './host-address-space.ts';
import type { HostRange } from './host-range.ts';
import { asEnomem } from './out-of-frames.ts';
import { FRAME_SHIFT, type PhysicalMemory } from './physical-memory.ts';

/** Frames held by one long-term pin. */
export interface HeldFrames {
  readonly frames: number;
  /** Gives them up; a second call does nothing. */
  release(): void;
}

/** Bytes that the process may pin: RLIMIT_MEMLOCK, or Infinity with CAP_IPC_LOCK. Asked at each pin. */
export type MemlockLimit = () => number;

/**
 * Long-term pins of host memory (FOLL_LONGTERM): every page gets its frame now, and the frame stays where it is until
 * the pin is released. Discarding a pinned page takes it out of the address space, as in the kernel; its frame stays
 * with the pin and is no memory given back.
 */
export class Pins {
  readonly #memory: PhysicalMemory;
  readonly #host: HostAddressSpace;
  readonly #limit: MemlockLimit;
  /** Frames that the process's own pins count; SEV's regions count by VM. */
  #counted = 0;

  constructor(memory: PhysicalMemory, host: HostAddressSpace, limit: MemlockLimit) {
    this.#memory = memory;
    this.#host = host;
    this.#limit = limit;
  }

  /** Bytes, as VmPin would say. */
  get pinnedBytes(): number {
    return this.#counted * PAGE_BYTES;
  }

  get limit(): number {
    return this.#limit();
  }

  /**
   * A pin of the process's own (as io_uring's registered buffers). KvmError: ENOMEM over RLIMIT_MEMLOCK, which counts
   * all pins of the process, or without frames; EFAULT where not all of the range may be used. RangeError for nothing.
   */
  pin(hva: number, length: number): Pin {
    const call = 'pin';
    if (length <= 0) throw new RangeError(`${length} bytes can't be pinned`);
    const frames = pagesTouched(hva, length);
    if ((this.#counted + frames) * PAGE_BYTES > this.limit)
      throw failure(call, ERRNO.ENOMEM, `${this.pinnedBytes} bytes are pinned and RLIMIT_MEMLOCK allows ${this.limit}`);
    const held = this.hold(call, hva, length);
    this.#counted += frames;
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      this.#counted -= frames;
      held.release();
    };
    return { bytes: length, release };
  }

  /**
   * Pins the pages that [hva, hva + length) touches, all or nothing, and counts them nowhere. KvmError: EFAULT where a
   * page is not there or may not be used, ENOMEM without frames.
   */
  hold(call: string, hva: number, length: number): HeldFrames {
    const first = Math.floor(hva / PAGE_BYTES) * PAGE_BYTES;
    const pages = pagesTouched(hva, length);
    const { totalFrames } = this.#memory.figures();
    if (pages > totalFrames) throw failure(call, ERRNO.ENOMEM, `the host has ${totalFrames} frames`);
    const frames = new Int32Array(pages);
    let held = 0;
    let range: HostRange | undefined;
    const release = (): void => {
      const count = held;
      held = 0;
      for (let at = 0; at < count; at++) this.#memory.unpin(((frames[at] ?? 0) << FRAME_SHIFT) >>> 0);
      this.#memory.settle();
    };
    try {
      for (; held < frames.length; held++) {
        const at = first + held * PAGE_BYTES;
        if (range?.contains(at) !== true) range = this.#host.find(at);
        const address = this.#touch(call, range, at);
        this.#memory.pin(address);
        frames[held] = address >>> FRAME_SHIFT;
      }
    } catch (error) {
      release();
      throw error;
    }
    return { frames: frames.length, release };
  }

  /** One more frame for a pin on fault; false where RLIMIT_MEMLOCK has no room for it. */
  countOne(): boolean {
    if ((this.#counted + 1) * PAGE_BYTES > this.limit) return false;
    this.#counted += 1;
    return true;
  }

  uncount(frames: number): void {
    this.#counted -= frames;
  }

  #touch(call: string, range: HostRange | undefined, hva: number): number {
    const page = range === undefined ? 0 : Math.floor((hva - range.hva) / PAGE_BYTES);
    if (range?.isAccessible(page) !== true)
      throw failure(call, ERRNO.EFAULT, `no accessible memory at ${hva.toString(16)}`);
    try {
      return range.backing.touch(page);
    } catch (error) {
      throw asEnomem(call, error);
    }
  }
}

/** Pages that a range of bytes touches. */
export function pagesTouched(hva: number, length: number): number {
  return Math.ceil((hva + length) / PAGE_BYTES) - Math.floor(hva / PAGE_BYTES);
}
