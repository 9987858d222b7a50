import { MAX_VIEW_BYTES, viewMemory } from '../../sys/memory-view.ts';
import type { HostAddressSpace } from '../memory/index.ts';

/**
 * Memory that user space's pointers in a command lead to: guest memory at the made-up addresses of the software KVM's
 * hosts, or plain memory of this process. The first lie where no process has memory.
 */
export class UserMemory {
  readonly #addresses: HostAddressSpace;

  constructor(addresses: HostAddressSpace) {
    this.#addresses = addresses;
  }

  /** A copy, or null where guest memory ends. */
  read(address: number, length: number): Uint8Array | null {
    const range = this.#addresses.find(address);
    if (range === undefined) return new Uint8Array(processMemory(address, length)).slice();
    if (address + length > range.end) return null;
    return this.#addresses.open({ backend: 'software', ...range.shape }).read(address - range.hva, length);
  }

  /** False where guest memory ends. */
  write(address: number, bytes: Uint8Array): boolean {
    const range = this.#addresses.find(address);
    if (range === undefined) new Uint8Array(processMemory(address, bytes.length)).set(bytes);
    else if (address + bytes.length > range.end) return false;
    else this.#addresses.open({ backend: 'software', ...range.shape }).write(address - range.hva, bytes);
    return true;
  }
}

/**
 * Safety: as with an ioctl, the caller of the command vouches for its pointers: `withAddresses` (../../sev/issue.ts)
 * keeps their buffers reachable until the command is back, and no view outlives it.
 */
function processMemory(address: number, length: number): ArrayBuffer {
  if (length > MAX_VIEW_BYTES) throw new RangeError(`a buffer of ${length} bytes`);
  return viewMemory(address, length);
}
