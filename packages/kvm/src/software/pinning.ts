import { pinRights } from '../linux/pin-limits.ts';
import type { HostMemory, Pin } from '../port/host-memory.ts';
import type { OnFaultPinning, Pinning, PinRange, PinRangesOptions, PinRights } from '../port/pinning.ts';
import type { Host } from './memory/index.ts';

/** Pins that hold the software KVM's own frames: each page gets its frame now, and no host moves it. */
export class SoftwarePinning implements Pinning {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  pin(memory: HostMemory, offset: number, length: number): Pin {
    return this.#host.pins.pin(memory.hva + offset, length);
  }

  async pinRanges(ranges: readonly PinRange[], options: PinRangesOptions = {}): Promise<Pin> {
    const pins: Pin[] = [];
    const release = () => {
      for (const pin of pins.splice(0)) pin.release();
    };
    let bytes = 0;
    try {
      for (const { memory, offset, length } of ranges) {
        pins.push(this.pin(memory, offset, length));
        bytes += length;
        options.onProgress?.(bytes);
      }
    } catch (cause) {
      release();
      throw cause;
    }
    return { bytes, release };
  }

  async pinOnFault(memory: HostMemory): Promise<OnFaultPinning> {
    return this.#host.pinOnFault(memory.hva);
  }

  pinRights(): PinRights {
    const { hasIpcLock } = pinRights();
    return { limit: this.#host.pins.limit, hasIpcLock, pinned: this.pinnedBytes() };
  }

  pinnedBytes(): number {
    return this.#host.pins.pinnedBytes;
  }
}
