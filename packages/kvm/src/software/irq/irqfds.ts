import type { EventFd } from '../../port/event-fd.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { DEVICE_FLAGS } from '../../uapi/constants.ts';
import { type IsOtherDescriptor, requireEventFd } from './descriptors.ts';
import type { EventCounters } from './event-counters.ts';

const CALL = 'KVM_IRQFD';
const { KVM_IRQFD_FLAG_DEASSIGN: DEASSIGN, KVM_IRQFD_FLAG_RESAMPLE: RESAMPLE } = DEVICE_FLAGS;

interface Irqfd {
  readonly event: EventFd;
  readonly gsi: number;
  /** Where the end of the interrupt is told; null for an edge. */
  readonly resample: EventFd | null;
}

export interface IrqfdOptions {
  readonly counters: EventCounters;
  readonly isOther: IsOtherDescriptor;
  /** Whether the VM has an irqchip. */
  hasIrqchip(): boolean;
  /** Whether the end of an interrupt is seen: not with a split irqchip. */
  canResample(): boolean;
  /** An edge on a line. */
  pulse(gsi: number): void;
  /** A line that is held up until its interrupt ends. */
  hold(gsi: number, level: boolean): void;
}

/** Eventfds that are interrupt lines (KVM_IRQFD). Their counters are read by `poll`, on the VM's own thread. */
export class Irqfds {
  readonly #options: IrqfdOptions;
  #bound: readonly Irqfd[] = [];

  constructor(options: IrqfdOptions) {
    this.#options = options;
  }

  /**
   * KVM_IRQFD: flags 1 deassign, 2 resample. Taking off what isn't there is no error.
   * @throws KvmError EINVAL for unknown flags, without an irqchip and for a descriptor of something else, EBADF for one
   * that isn't open, EBUSY for an eventfd that is bound already, in any VM of the host
   */
  set(fd: number, gsi: number, flags = 0, resampleFd = -1): void {
    if ((flags & ~(DEASSIGN | RESAMPLE)) !== 0) throw failure(CALL, ERRNO.EINVAL, `flags 0x${flags.toString(16)}`);
    if ((flags & DEASSIGN) !== 0) this.#deassign(fd, gsi);
    else this.#assign(fd, gsi, (flags & RESAMPLE) === 0 ? null : resampleFd);
  }

  /** Raises the lines whose eventfds were signalled. */
  poll(): void {
    for (const irqfd of this.#bound) {
      if (!this.#options.counters.isOpen(irqfd.event.fd)) this.#drop(irqfd);
      else if (irqfd.event.take() > 0) this.#inject(irqfd);
    }
  }

  /** A line's interrupt ended: what held it lets go, and is told to look whether it must raise it again. */
  acked(gsi: number): void {
    const resampled = this.#bound.filter((irqfd) => irqfd.gsi === gsi && irqfd.resample !== null);
    if (resampled.length === 0) return;
    this.#options.hold(gsi, false);
    for (const { resample } of resampled)
      if (resample !== null && this.#options.counters.isOpen(resample.fd)) resample.signal();
  }

  /** Eventfds that are bound. */
  get count(): number {
    return this.#bound.length;
  }

  /** Lets all eventfds go (the VM ends). */
  close(): void {
    for (const irqfd of this.#bound) this.#options.counters.unbind(irqfd.event.fd);
    this.#bound = [];
  }

  #assign(fd: number, gsi: number, resampleFd: number | null): void {
    const { counters, isOther } = this.#options;
    if (!this.#options.hasIrqchip()) throw failure(CALL, ERRNO.EINVAL, 'no irqchip');
    requireEventFd(CALL, fd, counters, isOther);
    if (resampleFd !== null && !this.#options.canResample()) throw failure(CALL, ERRNO.EINVAL, 'a split irqchip');
    if (resampleFd !== null) requireEventFd(CALL, resampleFd, counters, isOther);
    if (!counters.bind(fd)) throw failure(CALL, ERRNO.EBUSY);
    const resample = resampleFd === null ? null : counters.openEventFd(resampleFd);
    const irqfd: Irqfd = { event: counters.openEventFd(fd), gsi, resample };
    this.#bound = [...this.#bound, irqfd];
    // One that is signalled already interrupts at once.
    if (irqfd.event.take() > 0) this.#inject(irqfd);
  }

  #deassign(fd: number, gsi: number): void {
    requireEventFd(CALL, fd, this.#options.counters, this.#options.isOther);
    const irqfd = this.#bound.find((other) => other.event.fd === fd && other.gsi === gsi);
    if (irqfd !== undefined) this.#drop(irqfd);
  }

  #drop(irqfd: Irqfd): void {
    this.#bound = this.#bound.filter((other) => other !== irqfd);
    this.#options.counters.unbind(irqfd.event.fd);
    const holdsNoMore = !this.#bound.some((other) => other.gsi === irqfd.gsi && other.resample !== null);
    if (irqfd.resample !== null && holdsNoMore) this.#options.hold(irqfd.gsi, false);
  }

  #inject(irqfd: Irqfd): void {
    if (irqfd.resample === null) this.#options.pulse(irqfd.gsi);
    else this.#options.hold(irqfd.gsi, true);
  }
}
