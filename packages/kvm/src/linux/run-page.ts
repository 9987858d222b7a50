import { MAP_SHARED, mapMemory, PROT_READ, PROT_WRITE, unmapMemory } from '../sys/memory-map.ts';
import { detachView, viewMemory } from '../sys/memory-view.ts';

const WORD = 2 ** 32;

/** struct kvm_run and the pages behind it, as one vCPU's file descriptor maps them. */
export class RunPage {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** The same in 32-bit words: reads of 64 bits as bigint cost ten times as much. */
  readonly words: Uint32Array;
  readonly #buffer: ArrayBuffer;

  /** Maps it; may be mapped by any number of threads. `length` is KVM_GET_VCPU_MMAP_SIZE. */
  constructor(vcpuFd: number, length: number) {
    this.address = mapMemory({ length, protection: PROT_READ | PROT_WRITE, flags: MAP_SHARED, fd: vcpuFd });
    // Safety: unmapped in close() only, after the view is detached.
    this.#buffer = viewMemory(this.address, length);
    this.bytes = new Uint8Array(this.#buffer);
    this.words = new Uint32Array(this.#buffer);
  }

  /** A live view of a part. */
  part(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.#buffer, offset, length);
  }

  /** An unsigned 64-bit value as a number: exact below 2^53. */
  wide(offset: number): number {
    return (this.words[(offset >> 2) + 1] ?? 0) * WORD + (this.words[offset >> 2] ?? 0);
  }

  /** The same in hexadecimal, exact. */
  hex(offset: number): string {
    const high = this.words[(offset >> 2) + 1] ?? 0;
    const low = this.words[offset >> 2] ?? 0;
    return high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0');
  }

  close(): void {
    const { address } = this;
    const length = this.#buffer.byteLength;
    detachView(this.#buffer);
    unmapMemory(address, length);
  }
}
