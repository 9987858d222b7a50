/**
 * Below lie the kernel's own descriptors (fs.nr_open is 1,048,576 by default), so that a number of ours is never taken
 * for one of those, or the other way round.
 */
const FIRST = 1 << 20;

/**
 * File descriptors of one software KVM: unique integers for VMs, vCPUs, memfds, guest_memfds and the SEV device.
 * A number is never used again, so that a stale one is EBADF and not another file.
 */
export class Descriptors {
  readonly #open = new Map<number, object>();
  #next = FIRST;

  /** Opens a file; `fd` gives it the number it had in a snapshot. RangeError where that is in use. */
  open(file: object, fd: number = this.#next): number {
    if (this.#open.has(fd)) throw new RangeError(`descriptor ${fd} is open`);
    this.#open.set(fd, file);
    this.#next = Math.max(this.#next, fd + 1);
    return fd;
  }

  /** The open file, of whatever kind; undefined is EBADF. */
  get(fd: number): object | undefined {
    return this.#open.get(fd);
  }

  close(fd: number): void {
    this.#open.delete(fd);
  }

  /** Every open file, in the order of opening. */
  all(): readonly object[] {
    return [...this.#open.values()];
  }

  /** The number that the next file gets. */
  get next(): number {
    return this.#next;
  }

  /** All numbers below are used up (a restored host goes on where the saved one was). */
  skipTo(next: number): void {
    this.#next = Math.max(this.#next, next);
  }
}
