import type { EventFd } from '../../port/event-fd.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { EventWords } from './event-words.ts';

/** Structured-cloneable: opens the same counters in another thread. The buffer may hold other things around them. */
export interface EventCountersHandle {
  readonly buffer: SharedArrayBuffer;
  /** A multiple of 4. */
  readonly byteOffset: number;
  /** Most event counters that are open at a time. */
  readonly capacity: number;
}

/** Words before the first counter. */
const HEAD = EventWords.words;
/** Words of a counter: its descriptor (0 while free), its count's halves, whether an irqfd has it, its generation. */
const WORDS = 8;
const FD = 0;
const LOW = 1;
const HIGH = 2;
const BOUND = 3;
const GENERATION = 4;
const WORD = 2 ** 32;
/** Above any descriptor of the operating system, so that one is never taken for the other. */
const FIRST_FD = 0x0100_0000;
const DEFAULT_CAPACITY = 1024;

/**
 * The event counters of one host: what eventfds are to a kernel. All state is words in shared memory, so any thread may
 * signal; every signal rings the host's vCPUs.
 */
export class EventCounters {
  readonly handle: EventCountersHandle;
  /** The vCPUs' event words. */
  readonly eventWords: EventWords;
  readonly #words: Int32Array<SharedArrayBuffer>;

  /** Bytes that `capacity` counters need. */
  static bytes(capacity: number = DEFAULT_CAPACITY): number {
    return (HEAD + capacity * WORDS) * 4;
  }

  static create(capacity: number = DEFAULT_CAPACITY): EventCounters {
    const buffer = new SharedArrayBuffer(EventCounters.bytes(capacity));
    return new EventCounters({ buffer, byteOffset: 0, capacity });
  }

  /** Counters in shared memory that is zeroed, or that another thread made. */
  constructor(handle: EventCountersHandle) {
    this.handle = handle;
    this.#words = new Int32Array(handle.buffer, handle.byteOffset, HEAD + handle.capacity * WORDS);
    this.eventWords = new EventWords(this.#words);
  }

  /** A new counter at 0. @throws KvmError EMFILE */
  createEventFd(): EventFd {
    for (let slot = 0; slot < this.handle.capacity; slot += 1) {
      const base = HEAD + slot * WORDS;
      if (Atomics.load(this.#words, base + FD) !== 0) continue;
      const generation = Atomics.load(this.#words, base + GENERATION);
      const fd = FIRST_FD + generation * this.handle.capacity + slot;
      if (fd > 0x7fff_ffff || Atomics.compareExchange(this.#words, base + FD, 0, fd) !== 0) continue;
      return this.#eventFd(fd, base);
    }
    throw failure('eventfd', ERRNO.EMFILE);
  }

  /** The same counter, in any thread. @throws KvmError EBADF */
  openEventFd(fd: number): EventFd {
    return this.#eventFd(fd, this.#baseOf(fd, 'eventfd'));
  }

  isOpen(fd: number): boolean {
    const base = this.#baseIn(fd);
    return base !== undefined && Atomics.load(this.#words, base + FD) === fd;
  }

  /** Claims a counter for one irqfd. Answers false where another has it (EBUSY). @throws KvmError EBADF */
  bind(fd: number): boolean {
    return Atomics.compareExchange(this.#words, this.#baseOf(fd, 'KVM_IRQFD') + BOUND, 0, 1) === 0;
  }

  unbind(fd: number): void {
    const base = this.#baseIn(fd);
    if (base !== undefined && this.isOpen(fd)) Atomics.store(this.#words, base + BOUND, 0);
  }

  /** Sleeps until a counter is signalled (it isn't taken), or for so long. @throws KvmError EBADF */
  waitForEvent(fd: number, milliseconds: number): 'signalled' | 'timed-out' {
    const base = this.#baseOf(fd, 'poll');
    const outcome = Atomics.wait(this.#words, base + LOW, 0, milliseconds);
    return outcome === 'timed-out' ? 'timed-out' : 'signalled';
  }

  #eventFd(fd: number, base: number): EventFd {
    const words = this.#words;
    const mustBeOpen = (call: string): void => {
      if (Atomics.load(words, base + FD) !== fd) throw failure(call, ERRNO.EBADF);
    };
    return {
      fd,
      signal: (count = 1) => {
        if (!Number.isSafeInteger(count) || count < 0) throw failure('write eventfd', ERRNO.EINVAL);
        mustBeOpen('write eventfd');
        const low = count % WORD;
        const before = Atomics.add(words, base + LOW, low) >>> 0;
        const carry = Math.floor(count / WORD) + (before + low >= WORD ? 1 : 0);
        if (carry > 0) Atomics.add(words, base + HIGH, carry);
        Atomics.notify(words, base + LOW);
        this.eventWords.ring();
      },
      take: () => {
        mustBeOpen('read eventfd');
        return (Atomics.exchange(words, base + HIGH, 0) >>> 0) * WORD + (Atomics.exchange(words, base + LOW, 0) >>> 0);
      },
      close: () => {
        mustBeOpen('close');
        // The descriptor goes last: until then no other thread takes the counter.
        for (const word of [LOW, HIGH, BOUND]) Atomics.store(words, base + word, 0);
        Atomics.add(words, base + GENERATION, 1);
        Atomics.store(words, base + FD, 0);
        Atomics.notify(words, base + LOW);
      },
    };
  }

  /** Where a descriptor's words would be. */
  #baseIn(fd: number): number | undefined {
    if (!Number.isSafeInteger(fd) || fd < FIRST_FD || fd > 0x7fff_ffff) return undefined;
    return HEAD + ((fd - FIRST_FD) % this.handle.capacity) * WORDS;
  }

  #baseOf(fd: number, call: string): number {
    const base = this.#baseIn(fd);
    if (base === undefined || Atomics.load(this.#words, base + FD) !== fd) throw failure(call, ERRNO.EBADF);
    return base;
  }
}
