import { ERRNO, failure } from '../sys/errno.ts';
import { closeFile } from '../sys/file.ts';
import * as ring from '../sys/io-uring.ts';
import { addressOf, keepAlive } from '../sys/memory-view.ts';
import { IO_URING_RSRC_REGISTER, IO_URING_RSRC_UPDATE2, IOVEC } from '../uapi/io-uring-structs.ts';
import { explainPinFailure } from './pin-limits.ts';

/**
 * Places in one ring's table, and bytes that it should hold. The kernel would take 16,384 places, but counts a huge page
 * once a ring, and to know looks at every buffer of the ring for each huge page that comes: small rings pin a 2 MiB
 * range in 6 µs, one large ring in 30 µs and growing.
 */
export const RING_PLACES = 512;
export const RING_BYTES = 4 * 2 ** 30;
/** Longest range in one place, in bytes. */
export const MAX_PLACE_BYTES = ring.IORING_MAX_BUFFER_BYTES;

/**
 * An io_uring that does no I/O: its table of registered buffers holds long-term pins (FOLL_LONGTERM: the pages can't
 * be migrated, VmPin counts them; mlock is no such pin). The table is sparse, so that a place is filled or emptied by
 * one system call. Linux ≥ 5.19. The ring belongs to the process: any thread may fill places by its descriptor.
 */
export class PinRing {
  readonly fd: number;
  readonly #update = new PlaceUpdate();

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Errors: ENOSYS, EPERM (kernel.io_uring_disabled), EINVAL before Linux 5.19. */
  static create(): PinRing {
    const fd = ring.createRing();
    const register = IO_URING_RSRC_REGISTER.make()
      .set('nr', RING_PLACES)
      .set('flags', ring.IORING_RSRC_REGISTER_SPARSE);
    const result = ring.ringRegister(fd, ring.IORING_REGISTER_BUFFERS2, register.bytes, register.layout.size);
    if (result >= 0) return new PinRing(fd);
    closeFile(fd);
    const detail = -result === ERRNO.EINVAL ? 'Linux 5.19 is the first with sparse tables' : undefined;
    throw failure('IORING_REGISTER_BUFFERS2', -result, detail);
  }

  /** Pins a range of at most MAX_PLACE_BYTES in a free place, faulting in what isn't there yet. */
  fill(place: number, hva: number, length: number): void {
    const update = this.#update;
    const struct = update.set(place, hva, length);
    checkUpdate(ring.ringRegister(this.fd, ring.IORING_REGISTER_BUFFERS_UPDATE, struct, struct.length), length);
    update.keepAlive();
  }

  /** The same on a thread of libuv's pool. */
  async fillPooled(place: number, hva: number, length: number): Promise<void> {
    const update = new PlaceUpdate();
    const struct = update.set(place, hva, length);
    const operation = ring.IORING_REGISTER_BUFFERS_UPDATE;
    checkUpdate(await ring.ringRegisterPooled(this.fd, operation, struct, struct.length), length);
    update.keepAlive();
  }

  /** Releases what a place holds. */
  empty(place: number): void {
    this.fill(place, 0, 0);
  }

  /** Releases all: explicitly, for closing alone would do it some time later. */
  close(): void {
    ring.ringRegister(this.fd, ring.IORING_UNREGISTER_BUFFERS, null, 0);
    closeFile(this.fd);
  }
}

/** The structs of one update, which point at each other. */
class PlaceUpdate {
  readonly #iovec = IOVEC.make();
  readonly #tag = new Uint8Array(8);
  readonly #update = IO_URING_RSRC_UPDATE2.make();

  /** An empty range empties the place. Safety: the answer points at buffers that keepAlive keeps, until it is called. */
  set(place: number, hva: number, length: number): Uint8Array {
    this.#iovec.set('iov_base', hva).set('iov_len', length);
    this.#update.set('offset', place).set('nr', 1).set('data', addressOf(this.#iovec.bytes));
    return this.#update.set('tags', addressOf(this.#tag)).bytes;
  }

  keepAlive(): void {
    keepAlive(this.#iovec.bytes, this.#tag, this.#update.bytes);
  }
}

function checkUpdate(result: number, length: number): void {
  if (result < 0) throw failure('IORING_REGISTER_BUFFERS_UPDATE', -result, explainPinFailure(-result, length));
}
