import type { HostMemory, Pin } from '../port/host-memory.ts';
import type { OnFaultPinning, Pinning, PinRange, PinRangesOptions, PinRights } from '../port/pinning.ts';
import { pinRights } from './pin-limits.ts';
import { pinParallel } from './pin-parallel.ts';
import { PinTable } from './pin-table.ts';

/** Long-term pins of the kernel: io_uring's registered buffers, and userfaultfd for what is touched later. */
export class LinuxPinning implements Pinning {
  readonly #table = new PinTable();

  pin(memory: HostMemory, offset: number, length: number): Pin {
    return this.#table.pin(memory, offset, length);
  }

  pinRanges(ranges: readonly PinRange[], options?: PinRangesOptions): Promise<Pin> {
    return pinParallel(ranges, options);
  }

  async pinOnFault(memory: HostMemory): Promise<OnFaultPinning> {
    const { pinOnFault } = await import('./pinning/index.ts');
    return await pinOnFault(memory);
  }

  pinRights(): PinRights {
    return pinRights();
  }

  pinnedBytes(): number {
    return pinRights().pinned;
  }

  /** Releases the pins that were made one by one. */
  close(): void {
    this.#table.close();
  }
}
