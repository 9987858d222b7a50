import type { Device } from './device.ts';

/** Accesses that no device took, by the bus they came on. */
export interface UnmappedCounts {
  readonly reads: number;
  readonly writes: number;
}

interface Mapping {
  readonly base: number;
  readonly end: number;
  readonly device: Device;
}

/**
 * One address space of devices: ports or MMIO. An access goes to the device that has all of it; what no device has
 * reads as all ones, as an empty bus does, is dropped when written, and is counted.
 */
export class Bus {
  readonly name: 'pio' | 'mmio';
  #mappings: readonly Mapping[] = [];
  /** The mapping of the last hit: a guest talks to one device at a time. */
  #last: Mapping | undefined;
  #reads = 0;
  #writes = 0;

  constructor(name: 'pio' | 'mmio') {
    this.name = name;
  }

  /** @throws RangeError for a range without bytes, or one that overlaps another device's. */
  insert(base: number, size: number, device: Device): void {
    const end = base + size;
    if (!Number.isSafeInteger(base) || base < 0 || !Number.isSafeInteger(end) || size <= 0)
      throw new RangeError(`${this.name}: no range for ${device.name}: base ${base}, size ${size}`);
    const other = this.#mappings.find((mapping) => base < mapping.end && mapping.base < end);
    if (other !== undefined)
      throw new RangeError(`${this.name}: ${device.name} at 0x${base.toString(16)} overlaps ${other.device.name}`);
    this.#mappings = [...this.#mappings, { base, end, device }].toSorted((a, b) => a.base - b.base);
  }

  /** Fills `data` from the device at `address`. */
  read(address: number, data: Uint8Array): void {
    const mapping = this.#find(address, data.length);
    if (mapping === undefined) {
      this.#reads += 1;
      data.fill(0xff);
    } else mapping.device.read(address - mapping.base, data);
  }

  write(address: number, data: Uint8Array): void {
    const mapping = this.#find(address, data.length);
    if (mapping === undefined) this.#writes += 1;
    else mapping.device.write(address - mapping.base, data);
  }

  /** A string instruction: `data` holds items of `size` bytes, each an access of its own to one address. */
  transfer(direction: 'in' | 'out', address: number, size: number, data: Uint8Array): void {
    for (let at = 0; at < data.length; at += size) {
      const item = data.length === size ? data : data.subarray(at, at + size);
      if (direction === 'in') this.read(address, item);
      else this.write(address, item);
    }
  }

  /** Each device's state by its name. */
  save(): Readonly<Record<string, object>> {
    return Object.fromEntries(this.#mappings.map(({ device }) => [device.name, device.save()]));
  }

  /** RangeError for a device that the saved bus did not have: it is another board. */
  restore(states: Readonly<Record<string, object>>): void {
    for (const { device } of this.#mappings) {
      const state = states[device.name];
      if (state === undefined) throw new RangeError(`${this.name}: no saved state of ${device.name}`);
      device.restore(state);
    }
  }

  get unmapped(): UnmappedCounts {
    return { reads: this.#reads, writes: this.#writes };
  }

  #find(address: number, size: number): Mapping | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.base && address + size <= last.end) return last;
    const found = this.#mappings.find((mapping) => address >= mapping.base && address + size <= mapping.end);
    if (found !== undefined) this.#last = found;
    return found;
  }
}
