import type { EventFd } from '../../port/event-fd.ts';
import type { U64 } from '../../port/u64.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { DEVICE_FLAGS } from '../../uapi/constants.ts';
import { type IsOtherDescriptor, requireEventFd } from './descriptors.ts';
import type { EventCounters } from './event-counters.ts';

const CALL = 'KVM_IOEVENTFD';
const {
  KVM_IOEVENTFD_FLAG_DATAMATCH: DATAMATCH,
  KVM_IOEVENTFD_FLAG_PIO: PIO,
  KVM_IOEVENTFD_FLAG_DEASSIGN: DEASSIGN,
} = DEVICE_FLAGS;
/** KVM_IOEVENTFD_FLAG_VIRTIO_CCW_NOTIFY: x86 takes it too, and nothing ever rings it. */
const CCW = 8;
const LENGTHS: ReadonlySet<number> = new Set([0, 1, 2, 4, 8]);
const U64_END = 1n << 64n;
/** NR_IOBUS_DEVS. */
const MAX_DOORBELLS = 1000;

/** Where a doorbell is. */
export type DoorbellBus = 'mmio' | 'pio' | 'ccw';

interface Doorbell {
  readonly event: EventFd;
  readonly bus: DoorbellBus;
  readonly address: bigint;
  /** Bytes of the writes that ring it; 0 for any. */
  readonly length: number;
  /** The value that rings it, or null for any. */
  readonly match: bigint | null;
  readonly matchHigh: number;
  readonly matchLow: number;
}

/** Writes that signal an eventfd and don't exit (KVM_IOEVENTFD). */
export class Ioeventfds {
  readonly #counters: EventCounters;
  readonly #isOther: IsOtherDescriptor;
  #doorbells: readonly Doorbell[] = [];
  /** The doorbells of each address that a guest can write to. */
  #byAddress: Record<DoorbellBus, Map<number, readonly Doorbell[]>> = byAddress([]);

  constructor(counters: EventCounters, isOther: IsOtherDescriptor) {
    this.#counters = counters;
    this.#isOther = isOther;
  }

  /**
   * KVM_IOEVENTFD: flags 1 datamatch, 2 pio, 4 deassign.
   * @throws KvmError EINVAL for a length, range or flags that aren't allowed and for a descriptor of something else,
   * EBADF for one that isn't open, EEXIST where there is one, ENOSPC over 1000, ENOENT where none is to be taken off
   */
  set(fd: number, address: U64, length: number, flags = 0, datamatch: U64 = 0): void {
    const bus: DoorbellBus = (flags & PIO) !== 0 ? 'pio' : (flags & CCW) !== 0 ? 'ccw' : 'mmio';
    const match = (flags & DATAMATCH) === 0 ? null : BigInt.asUintN(64, BigInt(datamatch));
    const place = { bus, address: BigInt.asUintN(64, BigInt(address)), length, match };
    if ((flags & DEASSIGN) !== 0) this.#deassign(fd, place);
    else this.#assign(fd, place, flags);
  }

  /** Doorbells that there are. */
  get count(): number {
    return this.#doorbells.length;
  }

  /** A guest's write of `length` bytes. Answers whether it rang a doorbell, and so doesn't exit. */
  signal(bus: DoorbellBus, address: number, length: number, high: number, low: number): boolean {
    const there = this.#byAddress[bus].get(address);
    if (there === undefined) return false;
    const doorbell = there.find((one) => rings(one, length, high, low));
    if (doorbell === undefined) return false;
    // A closed eventfd hears nothing, and the write still doesn't exit: KVM keeps the eventfd's own object.
    if (this.#counters.isOpen(doorbell.event.fd)) doorbell.event.signal();
    return true;
  }

  #assign(fd: number, place: Place, flags: number): void {
    const { address, length, match } = place;
    if (!LENGTHS.has(length)) throw failure(CALL, ERRNO.EINVAL, `length ${length}`);
    if (address + BigInt(length) >= U64_END) throw failure(CALL, ERRNO.EINVAL, 'across the end of the address space');
    if ((flags & ~(DATAMATCH | PIO | DEASSIGN | CCW)) !== 0)
      throw failure(CALL, ERRNO.EINVAL, `flags 0x${flags.toString(16)}`);
    if (length === 0 && match !== null) throw failure(CALL, ERRNO.EINVAL, 'any length, and a value');
    requireEventFd(CALL, fd, this.#counters, this.#isOther);
    if (this.#doorbells.some((other) => collides(other, place))) throw failure(CALL, ERRNO.EEXIST);
    if (this.#doorbells.length >= MAX_DOORBELLS) throw failure(CALL, ERRNO.ENOSPC);
    const event = this.#counters.openEventFd(fd);
    const matchHigh = Number((match ?? 0n) >> 32n);
    const matchLow = Number((match ?? 0n) & 0xffff_ffffn);
    this.#replace([...this.#doorbells, { ...place, event, matchHigh, matchLow }]);
  }

  #deassign(fd: number, place: Place): void {
    requireEventFd(CALL, fd, this.#counters, this.#isOther);
    const found = this.#doorbells.find(
      (other) =>
        other.event.fd === fd &&
        other.bus === place.bus &&
        other.address === place.address &&
        other.length === place.length &&
        other.match === place.match,
    );
    if (found === undefined) throw failure(CALL, ERRNO.ENOENT);
    this.#replace(this.#doorbells.filter((other) => other !== found));
  }

  #replace(doorbells: readonly Doorbell[]): void {
    this.#doorbells = doorbells;
    this.#byAddress = byAddress(doorbells);
  }
}

type Place = Pick<Doorbell, 'bus' | 'address' | 'length' | 'match'>;

function byAddress(doorbells: readonly Doorbell[]): Record<DoorbellBus, Map<number, readonly Doorbell[]>> {
  const of = (bus: DoorbellBus): Map<number, readonly Doorbell[]> =>
    Map.groupBy(
      doorbells.filter((one) => one.bus === bus && one.address <= BigInt(Number.MAX_SAFE_INTEGER)),
      (one) => Number(one.address),
    );
  return { mmio: of('mmio'), pio: of('pio'), ccw: of('ccw') };
}

function collides(a: Place, b: Place): boolean {
  if (a.bus !== b.bus || a.address !== b.address) return false;
  if (a.length === 0 || b.length === 0) return true;
  return a.length === b.length && (a.match === null || b.match === null || a.match === b.match);
}

function rings(doorbell: Doorbell, length: number, high: number, low: number): boolean {
  if (doorbell.length === 0) return true;
  if (doorbell.length !== length) return false;
  return doorbell.match === null || (doorbell.matchHigh === high && doorbell.matchLow === low);
}
