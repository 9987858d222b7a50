import type { HostMemory, Pin } from '../port/host-memory.ts';
import { linuxMemory } from './host-memory.ts';
import { cutRange } from './pin-pieces.ts';
import { MAX_PLACE_BYTES, PinRing, RING_BYTES, RING_PLACES } from './pin-ring.ts';

/** One ring and its free places. */
interface Table {
  readonly ring: PinRing;
  readonly free: number[];
  /** The first place that was never used. */
  next: number;
  /** Bytes held. */
  bytes: number;
}

/**
 * Long-term pins of any number of ranges, small and large: one system call each (a range above 1 GiB: one a GiB), and
 * another ring whenever one is full. Closing the table, or the end of the process, releases them.
 */
export class PinTable {
  readonly #tables: Table[] = [];

  /**
   * Pins `length` bytes from `offset` on, all or nothing, faulting in what isn't there yet. Errors: ENOMEM over
   * RLIMIT_MEMLOCK, EFAULT without memory, EPERM where io_uring is switched off, EINVAL or ENOSYS on an older kernel;
   * each says what would help. RangeError outside the memory, TypeError for memory of another backend.
   */
  pin(memory: HostMemory, offset: number, length: number): Pin {
    if (offset < 0 || length <= 0 || offset + length > memory.size)
      throw new RangeError(`${length} bytes at ${offset} are not inside ${memory.size} bytes`);
    const held: (() => void)[] = [];
    const release = () => {
      for (const one of held.splice(0)) one();
    };
    try {
      for (const piece of cutRange(linuxMemory(memory.handle).hva + offset, length, MAX_PLACE_BYTES))
        held.push(this.#hold(piece.hva, piece.length));
    } catch (error) {
      release();
      throw error;
    }
    return { bytes: length, release };
  }

  /** Releases every pin that is left. */
  close(): void {
    for (const table of this.#tables.splice(0)) table.ring.close();
  }

  #hold(hva: number, length: number): () => void {
    const table = this.#withPlace();
    const place = table.free.pop() ?? table.next++;
    try {
      table.ring.fill(place, hva, length);
      table.bytes += length;
    } catch (error) {
      table.free.push(place);
      throw error;
    }
    return () => {
      // A closed table has released it already, and its descriptor may be another file's by now.
      if (!this.#tables.includes(table)) return;
      table.ring.empty(place);
      table.bytes -= length;
      table.free.push(place);
    };
  }

  #withPlace(): Table {
    const last = this.#tables.at(-1);
    if (last !== undefined && hasPlace(last)) return last;
    const other = this.#tables.find(hasPlace);
    if (other !== undefined) return other;
    const table: Table = { ring: PinRing.create(), free: [], next: 0, bytes: 0 };
    this.#tables.push(table);
    return table;
  }
}

function hasPlace(table: Table): boolean {
  return table.bytes < RING_BYTES && (table.free.length > 0 || table.next < RING_PLACES);
}
