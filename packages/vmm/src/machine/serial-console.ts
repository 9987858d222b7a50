import { ByteRing } from '../console/byte-ring.ts';
import { type InterruptLine, Uart16550 } from '../devices/index.ts';

/** Bytes taken from the input ring at a time. */
const CHUNK = 64;
const ROOM_MS = 1_000;
const NOTHING = new Uint8Array(0);

/** The serial port with the rings behind it. Input waits in its ring until the guest's receiver has room. */
export class SerialConsole {
  readonly uart: Uart16550;
  readonly #out: ByteRing;
  readonly #in: ByteRing;
  #held: Uint8Array = NOTHING;

  constructor(line: InterruptLine, out: SharedArrayBuffer, input: SharedArrayBuffer) {
    this.#out = new ByteRing(out);
    this.#in = new ByteRing(input);
    this.uart = new Uart16550({ line, transmit: (byte) => this.print(byte), room: () => this.feed() });
  }

  /** One byte to the readers. Waits for the main thread where it is behind; gives up rather than wait for ever. */
  print(byte: number): void {
    if (this.#out.writeByte(byte)) return;
    this.#out.waitForRoom(ROOM_MS);
    this.#out.writeByte(byte);
  }

  /** What was typed and not yet given to the guest. */
  save(): readonly number[] {
    return [...this.#held];
  }

  restore(held: readonly number[]): void {
    this.#held = Uint8Array.from(held);
  }

  /** Gives the guest what was typed, as much as its receiver has room for. */
  feed(): void {
    for (;;) {
      if (this.#held.length === 0) this.#held = this.#in.read(CHUNK);
      if (this.#held.length === 0) return;
      const taken = this.uart.receive(this.#held);
      if (taken === 0) return;
      this.#held = this.#held.subarray(taken);
    }
  }
}
