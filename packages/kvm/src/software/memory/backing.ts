import { asEnomem } from './out-of-frames.ts';
import { PageTable } from './page-table.ts';
import type { PhysicalMemory } from './physical-memory.ts';

/**
 * What owns frames: the memory of an anonymous mapping, a memfd or a guest_memfd. Frames of a guest_memfd don't move
 * (its pages are unmovable in the kernel too).
 */
export type BackingKind = 'anonymous' | 'memfd' | 'guest_memfd';

/** Told that a page of a backing got its first frame, before anything uses it. */
export type AllocationHook = (page: number, address: number) => void;

/** Pages of one memory object and their frames. Page numbers are indexes in the object. */
export class Backing {
  /** Unique in its host, from 1. */
  readonly id: number;
  readonly kind: BackingKind;
  readonly #memory: PhysicalMemory;
  readonly #table = new PageTable();
  readonly #hooks: AllocationHook[] = [];

  constructor(id: number, kind: BackingKind, memory: PhysicalMemory) {
    this.id = id;
    this.kind = kind;
    this.#memory = memory;
  }

  get allocatedPages(): number {
    return this.#table.count;
  }

  /** The page's frame; 0 where it has none. */
  frameAt(page: number): number {
    return this.#table.get(page);
  }

  /** The page's frame, given now where it has none. Throws OutOfFramesError. */
  touch(page: number): number {
    const address = this.#table.get(page);
    return address === 0 ? this.#allocate(page) : address;
  }

  /**
   * Gives all of [start, end) frames. KvmError ENOMEM, by the call's name, where there are not enough: what was given
   * until then stays, as in the kernel.
   */
  populate(call: string, start: number, end: number): void {
    try {
      for (let page = start; page < end; page++) this.touch(page);
    } catch (error) {
      throw asEnomem(call, error);
    }
  }

  /** Gives up the frames of [start, end); they read as zeros again. A pinned frame stays with its pin. */
  discard(start: number, end: number): void {
    this.#table.forEach(start, end, (page, address) => {
      this.#table.delete(page);
      this.#memory.free(address);
    });
    this.#memory.settle();
  }

  /** The page lies in another frame from now on. */
  replace(page: number, address: number): void {
    this.#table.set(page, address);
  }

  /** Tells the memory's listeners that every frame of [start, end) must be asked for again. */
  stale(start: number, end: number): void {
    this.#table.forEach(start, end, (_, address) => this.#memory.changed(address));
  }

  forEach(start: number, end: number, visit: (page: number, address: number) => void): void {
    this.#table.forEach(start, end, visit);
  }

  countIn(start: number, end: number): number {
    return this.#table.countIn(start, end);
  }

  /** Calls the hook for each page that gets a frame, until the answer is called. */
  onAllocate(hook: AllocationHook): () => void {
    this.#hooks.push(hook);
    return () => {
      const at = this.#hooks.indexOf(hook);
      if (at >= 0) this.#hooks.splice(at, 1);
    };
  }

  #allocate(page: number): number {
    const address = this.#memory.allocate(this.id, page);
    this.#table.set(page, address);
    for (const hook of this.#hooks) hook(page, address);
    return address;
  }
}
