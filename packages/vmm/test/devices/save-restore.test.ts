import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AcpiPm, Bus, I8042Command, Port92, RtcCmos } from '../../src/devices/index.ts';
import { SerialPort } from './serial-port.ts';

/** Devices with registers, as a board has them; what the bus saves goes through JSON as a snapshot's text does. */
function board() {
  const serial = new SerialPort();
  const bus = new Bus('pio');
  bus.insert(0x3f8, 8, serial.uart);
  bus.insert(0x70, 2, new RtcCmos(() => new Date(0)));
  bus.insert(0x64, 1, new I8042Command(() => {}));
  bus.insert(0x92, 1, new Port92(() => {}));
  bus.insert(0x600, 16, new AcpiPm({ powerOff: () => {}, reset: () => {} }));
  const io = {
    out: (port: number, value: number) => bus.write(port, Uint8Array.of(value)),
    in: (port: number) => {
      const data = new Uint8Array(1);
      bus.read(port, data);
      return data[0];
    },
  };
  return { bus, serial, ...io };
}

describe('a saved board', () => {
  test('comes back as it was, and touches no interrupt line by that', () => {
    const first = board();
    first.out(0x3fa, 0xc7);
    first.out(0x3fc, 0x0b);
    first.out(0x3ff, 0x5c);
    first.out(0x3f9, 0x03);
    first.serial.uart.receive(Buffer.from('typed'));
    first.out(0x70, 0x40);
    first.out(0x71, 0x77);
    first.out(0x602, 0x21);
    const saved = JSON.parse(JSON.stringify(first.bus.save())) as ReturnType<Bus['save']>;
    const second = board();
    second.bus.restore(saved);
    assert.deepEqual(second.bus.save(), first.bus.save());
    assert.deepEqual(second.serial.levels, []);
    const shown = ({ in: read }: ReturnType<typeof board>) =>
      [0x3fa, 0x3fd, 0x3f8, 0x3f8, 0x3fb, 0x3fc, 0x3fe, 0x3ff, 0x71, 0x602].map(read);
    assert.deepEqual(shown(second), shown(first));
  });

  test('of other devices is refused', () => {
    const { bus } = board();
    assert.throws(() => bus.restore({}), RangeError);
  });
});
