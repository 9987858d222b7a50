import type { Backings } from './backings.ts';
import { OutOfFramesError } from './out-of-frames.ts';
import { FRAME_BYTES, FRAME_SHIFT, type PhysicalMemory } from './physical-memory.ts';
import { RAW, type Views } from './views.ts';

/** What came of a wish to move a frame. `unowned`: free, or nobody's but a pin's. */
export type MoveOutcome = 'moved' | 'pinned' | 'guest_memfd' | 'unowned' | 'out-of-frames';

/** How many frames had which outcome. */
export type CompactOutcome = Readonly<Record<MoveOutcome, number>>;

/** A number from 0 up to but not including 1, as Math.random gives them. */
export type Random = () => number;

/**
 * The host that moves pages to other frames, as compaction, migration between nodes and ballooning do. It copies what
 * DRAM holds: for an encrypted page that is ciphertext, which another address decrypts to something else.
 */
export class Mover {
  readonly #memory: PhysicalMemory;
  readonly #views: Views;
  readonly #backings: Backings;

  constructor(memory: PhysicalMemory, views: Views, backings: Backings) {
    this.#memory = memory;
    this.#views = views;
    this.#backings = backings;
  }

  /** Moves what lies in a frame to a free one, if it may be moved. Its owner and the listeners learn of it. */
  move(address: number): MoveOutcome {
    const frame = address >>> FRAME_SHIFT;
    const owner = this.#backings.get(this.#memory.owners[frame] ?? 0);
    if (owner === undefined) return 'unowned';
    if (owner.kind === 'guest_memfd') return 'guest_memfd';
    if ((this.#memory.pins[frame] ?? 0) > 0) return 'pinned';
    const page = this.#memory.pages[frame] ?? 0;
    const to = this.#allocate(owner.id, page);
    if (to === 0) return 'out-of-frames';
    this.#views.materialise(address, RAW);
    this.#memory.all.copyWithin(to, address, address + FRAME_BYTES);
    this.#memory.writers[to >>> FRAME_SHIFT] = this.#memory.writers[frame] ?? 0;
    owner.replace(page, to);
    this.#memory.free(address);
    this.#memory.settle();
    this.#memory.changed(to);
    return 'moved';
  }

  /** Tries to move `count` frames in use, chosen at random, each once. The same random numbers choose the same frames. */
  compact(count: number, random: Random = Math.random): CompactOutcome {
    const outcome: Record<MoveOutcome, number> = {
      moved: 0,
      pinned: 0,
      guest_memfd: 0,
      unowned: 0,
      'out-of-frames': 0,
    };
    const frames = this.#memory.ownedFrames();
    const tries = Math.min(count, frames.length);
    for (let done = 0; done < tries; done++) {
      const chosen = done + Math.floor(random() * (frames.length - done));
      const frame = frames[chosen] ?? 0;
      frames[chosen] = frames[done] ?? 0;
      outcome[this.move((frame << FRAME_SHIFT) >>> 0)] += 1;
    }
    return outcome;
  }

  #allocate(owner: number, page: number): number {
    try {
      return this.#memory.allocate(owner, page);
    } catch (error) {
      if (error instanceof OutOfFramesError) return 0;
      throw error;
    }
  }
}
