/**
 * A device on a bus. It knows offsets from its own first register, never addresses, and lines, never KVM.
 * `data` is 1, 2, 4 or 8 bytes, little-endian; a read fills it.
 */
export interface Device {
  /** For counters and errors: 'uart-16550'. */
  readonly name: string;
  read(offset: number, data: Uint8Array): void;
  write(offset: number, data: Uint8Array): void;
  /** For snapshots: all that the guest could find out later, as plain data; and its return into a fresh device. */
  save(): object;
  restore(state: object): void;
}

/** One wire to an interrupt controller. Devices set the level; how it gets there is the machine's matter. */
export interface InterruptLine {
  set(level: 0 | 1): void;
}

/** A device whose registers are bytes. A wider access is one of each byte, as the ISA bus does it. */
export abstract class ByteDevice implements Device {
  abstract readonly name: string;

  read(offset: number, data: Uint8Array): void {
    for (let index = 0; index < data.length; index += 1) data[index] = this.readByte(offset + index);
  }

  write(offset: number, data: Uint8Array): void {
    for (const [index, value] of data.entries()) this.writeByte(offset + index, value);
  }

  abstract save(): object;
  abstract restore(state: object): void;

  protected abstract readByte(offset: number): number;
  protected abstract writeByte(offset: number, value: number): void;
}
