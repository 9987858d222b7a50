import { ByteDevice } from '../device.ts';

export const PORT_92_PORTS = 1;

/** Bit 0: fast reset, on its rising edge. Bit 1: the A20 gate, which is open for good here. */
const FAST_RESET = 0x01;
const A20 = 0x02;

/** The PS/2 system control port A: another way to reset. */
export class Port92 extends ByteDevice {
  override readonly name = 'port-92';
  readonly #reset: () => void;

  constructor(reset: () => void) {
    super();
    this.#reset = reset;
  }

  /** It keeps nothing. */
  override save(): object {
    return {};
  }

  override restore(): void {}

  protected override readByte(): number {
    return A20;
  }

  protected override writeByte(_offset: number, value: number): void {
    if ((value & FAST_RESET) !== 0) this.#reset();
  }
}
