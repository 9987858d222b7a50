import { BufferPages } from '../../sys/buffer-pages.ts';
import { FreeFrames } from './free-frames.ts';
import { OutOfFramesError } from './out-of-frames.ts';
import { ReturnQueue } from './return-queue.ts';

/** Bytes of a host frame. */
export const FRAME_BYTES = 4096;
/** frame number = frame address >>> FRAME_SHIFT. */
export const FRAME_SHIFT = 12;

/** Nobody has written the frame: it holds zeros. */
export const WRITER_NONE = 0;
const WRITER_RAW = 1;
const WRITER_ENCRYPTED = 2;

/** WRITER_* of a write through an ASID's view, or through the raw one. */
export function writerOf(encrypted: boolean): number {
  return encrypted ? WRITER_ENCRYPTED : WRITER_RAW;
}

/** Told the address of a frame that was freed, moved, or brought into another view: what was known of it is stale. */
export type FrameListener = (address: number) => void;

/** Told the address and the bytes of a part of one frame that the host has written. */
export type WriteListener = (address: number, length: number) => void;

export interface PhysicalMemoryOptions {
  /** Byte offset of the first frame, a multiple of 4096; what lies below is the engine's. */
  readonly firstFrame: number;
  /** Lets the system use huge pages: faster, but then a touched frame may cost 2 MiB. Default false. */
  readonly hugePages?: boolean;
}

/** Counts of frames, and how often pages went back to the operating system. */
export interface PhysicalFigures {
  readonly totalFrames: number;
  readonly usedFrames: number;
  readonly allocations: number;
  readonly frees: number;
  /** Calls of madvise that gave pages back: one a run of frames. */
  readonly givenBackRuns: number;
}

/**
 * The host's DRAM: frames of 4 KiB in one shared buffer. A frame's system-physical address (SPA) is its byte offset in
 * that buffer. A frame is backed by a page of the operating system from its first touch until it is freed.
 *
 * The metadata arrays are indexed by frame number (address >>> FRAME_SHIFT) and are written by this folder only.
 */
export class PhysicalMemory {
  readonly buffer: SharedArrayBuffer;
  /** All of the buffer: for copies in and out of frames. */
  readonly all: Uint8Array;
  readonly firstFrame: number;
  /** The view that a frame's bytes are in now: 0 raw, else an ASID. */
  readonly tags: Uint16Array;
  /** Through which view a frame was last written: WRITER_*. Kept for VMs whose views are watched, and for the host. */
  readonly writers: Uint8Array;
  /** How many long-term pins hold a frame. */
  readonly pins: Int32Array;
  /** Id of the Backing whose page this is; 0 for none: free, or freed by its owner and held by a pin. */
  readonly owners: Int32Array;
  /** The page's index in its owner. */
  readonly pages: Float64Array;

  readonly #os: BufferPages;
  readonly #free: FreeFrames;
  readonly #returning: ReturnQueue;
  readonly #listeners: FrameListener[] = [];
  readonly #writeListeners: WriteListener[] = [];
  readonly #total: number;
  #allocations = 0;
  #frees = 0;

  constructor(buffer: SharedArrayBuffer, { firstFrame, hugePages = false }: PhysicalMemoryOptions) {
    if (firstFrame % FRAME_BYTES !== 0 || firstFrame <= 0 || firstFrame >= buffer.byteLength)
      throw new RangeError(`frames can't start at ${firstFrame} in ${buffer.byteLength} bytes`);
    const end = Math.floor(buffer.byteLength / FRAME_BYTES);
    this.buffer = buffer;
    this.all = new Uint8Array(buffer);
    this.firstFrame = firstFrame;
    this.tags = new Uint16Array(end);
    this.writers = new Uint8Array(end);
    this.pins = new Int32Array(end);
    this.owners = new Int32Array(end);
    this.pages = new Float64Array(end);
    this.#total = end - firstFrame / FRAME_BYTES;
    this.#free = new FreeFrames(firstFrame / FRAME_BYTES, end);
    this.#os = new BufferPages(buffer);
    this.#os.adviseHugePages(firstFrame, this.#total * FRAME_BYTES, hugePages);
    this.#returning = new ReturnQueue((frame, count) => this.#os.giveBack(frame * FRAME_BYTES, count * FRAME_BYTES));
  }

  /** The address of a frame of zeros, in the raw view. OutOfFramesError where all are in use. */
  allocate(owner: number, page: number): number {
    if (this.#free.count === 0) this.settle();
    const frame = this.#free.take();
    if (frame < 0) throw new OutOfFramesError(this.#total);
    return this.#claim(frame, owner, page);
  }

  /** Takes the frame at this address. RangeError where it is not free: a snapshot must have its own addresses. */
  allocateAt(address: number, owner: number, page: number): void {
    const frame = address >>> FRAME_SHIFT;
    if (!this.#free.takeAt(frame)) throw new RangeError(`the host frame at ${address} is not free`);
    this.#claim(frame, owner, page);
  }

  /**
   * Its owner gives a frame up. A pinned one stays, nobody's, until its last pin is released. The page goes back to the
   * operating system with the next `settle`.
   */
  free(address: number): void {
    const frame = address >>> FRAME_SHIFT;
    this.owners[frame] = 0;
    this.changed(address);
    if (this.pins[frame] === 0) this.#release(frame);
  }

  pin(address: number): void {
    const frame = address >>> FRAME_SHIFT;
    this.pins[frame] = (this.pins[frame] ?? 0) + 1;
  }

  unpin(address: number): void {
    const frame = address >>> FRAME_SHIFT;
    const left = (this.pins[frame] ?? 0) - 1;
    if (left < 0) throw new RangeError(`the host frame at ${address} is not pinned`);
    this.pins[frame] = left;
    if (left === 0 && this.owners[frame] === 0) this.#release(frame);
  }

  /** Gives freed frames back to the operating system, one call a run. Each operation that frees ends with it. */
  settle(): void {
    this.#returning.drain((frame) => this.#free.put(frame));
  }

  /** A live view of a frame's bytes, in whatever view they are. */
  bytes(address: number): Uint8Array {
    return new Uint8Array(this.buffer, address, FRAME_BYTES);
  }

  isUsed(address: number): boolean {
    const frame = address >>> FRAME_SHIFT;
    return (this.owners[frame] ?? 0) !== 0 || (this.pins[frame] ?? 0) !== 0;
  }

  /** Frame numbers with an owner, ascending. */
  ownedFrames(): Int32Array {
    const found = new Int32Array(this.#total);
    let count = 0;
    for (let frame = this.firstFrame / FRAME_BYTES; frame < this.owners.length; frame++)
      if (this.owners[frame] !== 0) found[count++] = frame;
    return found.slice(0, count);
  }

  /** Calls the listener after each change of a frame, until the answer is called. */
  onChange(listener: FrameListener): () => void {
    this.#listeners.push(listener);
    return () => {
      const at = this.#listeners.indexOf(listener);
      if (at >= 0) this.#listeners.splice(at, 1);
    };
  }

  /** Calls the listener after each write by the host, which may change code that was decoded. */
  onWrite(listener: WriteListener): void {
    this.#writeListeners.push(listener);
  }

  /** The host, or KVM for it, has written a part of a frame, in the view that the frame is in. */
  wrote(address: number, length: number): void {
    const frame = address >>> FRAME_SHIFT;
    this.writers[frame] = writerOf(this.tags[frame] !== 0);
    for (const listener of this.#writeListeners) listener(address, length);
  }

  /** Tells the listeners. */
  changed(address: number): void {
    for (const listener of this.#listeners) listener(address);
  }

  /** Bytes that the operating system holds for the frames (mincore). */
  residentBytes(): number {
    return this.#os.residentBytes(this.firstFrame, this.#total * FRAME_BYTES);
  }

  figures(): PhysicalFigures {
    return {
      totalFrames: this.#total,
      usedFrames: this.#total - this.#free.count - this.#returning.count,
      allocations: this.#allocations,
      frees: this.#frees,
      givenBackRuns: this.#returning.runs,
    };
  }

  #claim(frame: number, owner: number, page: number): number {
    this.owners[frame] = owner;
    this.pages[frame] = page;
    this.#allocations += 1;
    return frame * FRAME_BYTES;
  }

  #release(frame: number): void {
    this.tags[frame] = 0;
    this.writers[frame] = WRITER_NONE;
    this.#frees += 1;
    this.#returning.add(frame);
  }
}
