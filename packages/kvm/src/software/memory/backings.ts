import { Backing, type BackingKind } from './backing.ts';
import type { PhysicalMemory } from './physical-memory.ts';

/** All owners of frames of one host, by id: from a frame to the page it serves. */
export class Backings {
  readonly #memory: PhysicalMemory;
  readonly #byId = new Map<number, Backing>();
  #next = 1;

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
  }

  create(kind: BackingKind, id: number = this.#next): Backing {
    const backing = new Backing(id, kind, this.#memory);
    this.#byId.set(id, backing);
    this.#next = Math.max(this.#next, id + 1);
    return backing;
  }

  get(id: number): Backing | undefined {
    return this.#byId.get(id);
  }

  /** Gives up every frame of the backing, and the backing. */
  drop(backing: Backing): void {
    backing.discard(0, Number.POSITIVE_INFINITY);
    this.#byId.delete(backing.id);
  }

  all(): readonly Backing[] {
    return [...this.#byId.values()];
  }
}
