import { PAGE_BYTES } from '../../port/guest-memory.ts';
import type { GuestAddressSpace } from './guest-address-space.ts';
import type { PhysicalMemory } from './physical-memory.ts';

/** KVM's own reads and writes of guest memory, through the slots' host addresses: raw, on the shared side. */
export class GuestBytes {
  readonly #space: GuestAddressSpace;
  readonly #memory: PhysicalMemory;

  constructor(space: GuestAddressSpace, memory: PhysicalMemory) {
    this.#space = space;
    this.#memory = memory;
  }

  /** Fills `into` from a guest-physical address on; false where a page of it is not there. */
  read(gpa: number, into: Uint8Array): boolean {
    const { all } = this.#memory;
    return this.#each(gpa, into.length, false, (from, at, count) => into.set(all.subarray(from, from + count), at));
  }

  /** Writes `bytes`; false where a page of it is not there or is read-only. Written pages are logged. */
  write(gpa: number, bytes: Uint8Array): boolean {
    const memory = this.#memory;
    return this.#each(gpa, bytes.length, true, (to, at, count) => {
      memory.all.set(bytes.subarray(at, at + count), to);
      memory.wrote(to, count);
    });
  }

  #each(gpa: number, length: number, isWrite: boolean, copy: (host: number, at: number, count: number) => void) {
    for (let at = 0; at < length; ) {
      const inPage = (gpa + at) % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - inPage, length - at);
      const address = this.#space.sharedFrame(Math.floor((gpa + at) / PAGE_BYTES), isWrite);
      if (address === 0) return false;
      copy(address + inPage, at, count);
      at += count;
    }
    return true;
  }
}
