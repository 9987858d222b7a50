import type { HostMemory, Pin } from '../port/host-memory.ts';
import { ERRNO, failure } from '../sys/errno.ts';
import { closeFile } from '../sys/file.ts';
import * as ring from '../sys/io-uring.ts';
import { addressOf, keepAlive } from '../sys/memory-view.ts';
import { IO_URING_RSRC_REGISTER, IO_URING_RSRC_UPDATE2, IOVEC } from '../uapi/io-uring-structs.ts';
import { explainPinFailure } from './pin-limits.ts';

/** Places in one ring's table; another ring is made when all are taken. */
const PLACES = ring.IORING_MAX_REG_BUFFERS;

/** One ring and its free places. */
interface Table {
  readonly fd: number;
  readonly free: number[];
  /** The first place that was never used. */
  next: number;
}

/**
 * Long-term pins through io_uring's registered buffers (FOLL_LONGTERM: the pages can't be migrated, VmPin counts them;
 * mlock is no such pin). The rings do no I/O: each holds a sparse table whose places are filled and emptied one range
 * at a time, so that thousands of small pins cost one system call each. Linux ≥ 5.19.
 *
 * Pins belong to the process, not to a thread; closing the table or the process releases them.
 */
export class PinTable {
  readonly #tables: Table[] = [];
  readonly #iovec = IOVEC.make();
  readonly #tag = new Uint8Array(8);
  readonly #update = IO_URING_RSRC_UPDATE2.make();

  /**
   * Pins `length` bytes from `offset` on; both are page-aligned by KVM's users but need not be. Faults in what isn't
   * there yet. Errors: ENOMEM over RLIMIT_MEMLOCK, EFAULT without memory, EPERM where io_uring is switched off,
   * EINVAL or ENOSYS on an older kernel; each says what would help. All or nothing.
   */
  pin(memory: HostMemory, offset: number, length: number): Pin {
    if (offset < 0 || length <= 0 || offset + length > memory.size)
      throw new RangeError(`${length} bytes at ${offset} are not inside ${memory.size} bytes`);
    const held: (() => void)[] = [];
    try {
      for (let at = 0; at < length; at += ring.IORING_MAX_BUFFER_BYTES)
        held.push(this.#hold(memory.hva + offset + at, Math.min(ring.IORING_MAX_BUFFER_BYTES, length - at)));
    } catch (error) {
      for (const release of held) release();
      throw error;
    }
    return {
      bytes: length,
      release() {
        for (const release of held.splice(0)) release();
      },
    };
  }

  /** Releases every pin that is left. */
  close(): void {
    for (const table of this.#tables.splice(0)) {
      // Explicitly, and not by closing alone: that would release them some time later.
      ring.ringRegister(table.fd, ring.IORING_UNREGISTER_BUFFERS, null, 0);
      closeFile(table.fd);
    }
  }

  /** Pins at most 1 GiB, the longest buffer. */
  #hold(hva: number, length: number): () => void {
    const table = this.#tables.at(-1);
    const withPlace =
      table !== undefined && hasPlace(table) ? table : (this.#tables.find(hasPlace) ?? this.#addTable());
    const place = withPlace.free.pop() ?? withPlace.next++;
    try {
      this.#write(withPlace.fd, place, hva, length);
    } catch (error) {
      withPlace.free.push(place);
      throw error;
    }
    return () => {
      if (!this.#tables.includes(withPlace)) return;
      this.#write(withPlace.fd, place, 0, 0);
      withPlace.free.push(place);
    };
  }

  /** An empty buffer empties the place. */
  #write(fd: number, place: number, hva: number, length: number): void {
    this.#iovec.set('iov_base', hva).set('iov_len', length);
    this.#update.set('offset', place).set('nr', 1).set('data', addressOf(this.#iovec.bytes));
    this.#update.set('tags', addressOf(this.#tag));
    const result = ring.ringRegister(
      fd,
      ring.IORING_REGISTER_BUFFERS_UPDATE,
      this.#update.bytes,
      this.#update.layout.size,
    );
    keepAlive(this.#iovec.bytes, this.#tag);
    if (result < 0) throw failure('IORING_REGISTER_BUFFERS_UPDATE', -result, explainPinFailure(-result, length));
  }

  #addTable(): Table {
    const fd = ring.createRing();
    const register = IO_URING_RSRC_REGISTER.make().set('nr', PLACES).set('flags', ring.IORING_RSRC_REGISTER_SPARSE);
    const result = ring.ringRegister(fd, ring.IORING_REGISTER_BUFFERS2, register.bytes, register.layout.size);
    if (result < 0) {
      closeFile(fd);
      const detail = -result === ERRNO.EINVAL ? 'Linux 5.19 is the first with sparse tables' : undefined;
      throw failure('IORING_REGISTER_BUFFERS2', -result, detail);
    }
    const table: Table = { fd, free: [], next: 0 };
    this.#tables.push(table);
    return table;
  }
}

function hasPlace(table: Table): boolean {
  return table.free.length > 0 || table.next < PLACES;
}
