import { PAGE_BYTES } from '../port/guest-memory.ts';
import { ERRNO, failure } from '../sys/errno.ts';
import { closeFile, readFd } from '../sys/file.ts';
import { ioctlStruct, tryIoctlStruct } from '../sys/ioctl.ts';
import { pollReadable } from '../sys/poll.ts';
import { createUserfaultFd } from '../sys/userfaultfd.ts';
import type { Struct } from '../uapi/struct.ts';
import * as uffd from '../uapi/userfault-structs.ts';

const { UFFD_IOCTLS, UFFD_CONSTANTS } = uffd;

/** A thread touched a page that isn't there, and waits until the page is filled and it is woken. */
export interface PageFault {
  /** Page-aligned address in this process. */
  readonly hva: number;
  readonly isWrite: boolean;
}

/**
 * Missing pages of a range of this process, handed to user space (userfaultfd(2)): for guests whose memory is pinned
 * as they touch it. One thread waits in `next`; any thread of the process may fill and wake, opening by the descriptor.
 *
 * The order for a pin on fault: `zero` without waking, pin, `wake`. The page can't be touched before it is pinned.
 * The thread that fills must never touch the range itself, nor let the kernel touch it (MADV_POPULATE): it would wait
 * for itself.
 */
export class UserFaults {
  readonly fd: number;
  readonly #message = uffd.UFFD_MESSAGE.make();
  readonly #zeropage = uffd.UFFD_ZEROPAGE.make();
  readonly #range = uffd.UFFD_RANGE.make();

  constructor(fd: number) {
    this.fd = fd;
  }

  /**
   * Errors: EPERM without the right (CAP_SYS_PTRACE, /dev/userfaultfd, or sysctl vm.unprivileged_userfaultfd), ENOSYS.
   */
  static create(): UserFaults {
    const fd = createUserfaultFd();
    const api = uffd.UFFD_API.make().set('api', UFFD_CONSTANTS.UFFD_API);
    ioctlStruct('UFFDIO_API', fd, UFFD_IOCTLS.UFFDIO_API, api.bytes);
    return new UserFaults(fd);
  }

  /** Takes over the missing pages of a page-aligned range. Errors: EINVAL for memory that can't (guest_memfd), EBUSY. */
  register(hva: number, length: number): void {
    const register = uffd.UFFD_REGISTER.make().set('range.start', hva).set('range.len', length);
    register.set('mode', UFFD_CONSTANTS.UFFDIO_REGISTER_MODE_MISSING);
    ioctlStruct('UFFDIO_REGISTER', this.fd, UFFD_IOCTLS.UFFDIO_REGISTER, register.bytes);
  }

  /** Gives a range back to the kernel and wakes whoever waits in it. */
  unregister(hva: number, length: number): void {
    ioctlStruct('UFFDIO_UNREGISTER', this.fd, UFFD_IOCTLS.UFFDIO_UNREGISTER, this.#rangeOf(hva, length).bytes);
  }

  /** The next fault, waiting at most `timeout` milliseconds (-1: for ever); null where none came. Blocks the thread. */
  next(timeout: number): PageFault | null {
    const [events = 0] = pollReadable([this.fd], timeout);
    if (events === 0) return null;
    const result = readFd(this.fd, this.#message.bytes);
    if (result === -ERRNO.EAGAIN) return null;
    if (result < 0) throw failure('read userfaultfd', -result);
    if (this.#message.get('event') !== UFFD_CONSTANTS.UFFD_EVENT_PAGEFAULT) return null;
    const address = this.#message.get('arg.pagefault.address');
    const flags = this.#message.get('arg.pagefault.flags');
    return {
      hva: Math.floor(address / PAGE_BYTES) * PAGE_BYTES,
      isWrite: (flags & UFFD_CONSTANTS.UFFD_PAGEFAULT_FLAG_WRITE) !== 0,
    };
  }

  /**
   * Fills the missing pages of a range with zeros and wakes nobody; pages that are there stay as they are. On shared
   * memory the pages are allocated; on anonymous memory they are the one zero page until a write or a pin.
   */
  zero(hva: number, length: number): void {
    for (let at = 0; at < length; ) at += this.#zeroStep(hva + at, length - at);
  }

  /** Fills missing pages with bytes from elsewhere in this process. Wakes nobody. Errors: EEXIST where one is there. */
  copy(hva: number, source: number, length: number): void {
    const copy = uffd.UFFD_COPY.make().set('dst', hva).set('src', source).set('len', length);
    copy.set('mode', UFFD_CONSTANTS.UFFDIO_COPY_MODE_DONTWAKE);
    ioctlStruct('UFFDIO_COPY', this.fd, UFFD_IOCTLS.UFFDIO_COPY, copy.bytes);
  }

  /** Lets the threads that wait in a range go on. */
  wake(hva: number, length: number): void {
    ioctlStruct('UFFDIO_WAKE', this.fd, UFFD_IOCTLS.UFFDIO_WAKE, this.#rangeOf(hva, length).bytes);
  }

  /** Closes it; whoever waits goes on with pages of the kernel's. */
  close(): void {
    closeFile(this.fd);
  }

  /** How many bytes are dealt with. */
  #zeroStep(hva: number, length: number): number {
    const struct = this.#zeropage.set('range.start', hva).set('range.len', length);
    struct.set('mode', UFFD_CONSTANTS.UFFDIO_ZEROPAGE_MODE_DONTWAKE).set('zeropage', 0);
    const result = tryIoctlStruct(this.fd, UFFD_IOCTLS.UFFDIO_ZEROPAGE, struct.bytes);
    if (result === 0) return length;
    // Partly done: how far, or a negative errno in its place.
    const done = BigInt.asIntN(64, struct.getBig('zeropage'));
    if (done > 0n) return Number(done);
    if (result === -ERRNO.EEXIST) return PAGE_BYTES;
    if (result === -ERRNO.EAGAIN) return 0;
    throw failure('UFFDIO_ZEROPAGE', -result);
  }

  #rangeOf(hva: number, length: number): Struct<typeof uffd.UFFD_RANGE.fields> {
    return this.#range.set('start', hva).set('len', length);
  }
}
