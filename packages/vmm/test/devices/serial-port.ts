import { Uart16550 } from '../../src/devices/index.ts';

/** A 16550 with its wires in the hand: what it sent, and how its interrupt line moved. */
export class SerialPort {
  readonly sent: number[] = [];
  readonly levels: number[] = [];
  rooms = 0;
  readonly uart = new Uart16550({
    line: { set: (level) => this.levels.push(level) },
    transmit: (byte) => this.sent.push(byte),
    room: () => (this.rooms += 1),
  });

  in(offset: number): number {
    const data = new Uint8Array(1);
    this.uart.read(offset, data);
    return data[0] ?? 0;
  }

  out(offset: number, value: number): void {
    this.uart.write(offset, Uint8Array.of(value));
  }

  get level(): number {
    return this.levels.at(-1) ?? 0;
  }

  text(): string {
    return Buffer.from(this.sent).toString('latin1');
  }
}
