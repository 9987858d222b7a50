import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { SerialPort } from './serial-port.ts';

const [DATA, IER, IIR, FCR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 2, 3, 4, 5, 6, 7];
const [OUT2, LOOP] = [0x08, 0x10];

describe('a driver that looks for a 16550A', () => {
  test('finds IER of four bits', () => {
    const port = new SerialPort();
    port.out(IER, 0);
    assert.equal(port.in(IER) & 0x0f, 0);
    port.out(IER, 0xff);
    assert.equal(port.in(IER), 0x0f);
  });

  test('finds its own modem outputs in loopback', () => {
    const port = new SerialPort();
    port.out(MCR, LOOP | 0x0a);
    assert.equal(port.in(MSR) & 0xf0, 0x90);
    port.out(MCR, LOOP | 0x05);
    assert.equal(port.in(MSR) & 0xf0, 0x60);
    port.out(MCR, 0);
    assert.equal(port.in(MSR) & 0xf0, 0xb0, 'a connected terminal');
  });

  test('finds FIFOs that work, no 64-byte ones, and no registers of later chips', () => {
    const port = new SerialPort();
    port.out(FCR, 0);
    assert.equal(port.in(IIR) >> 6, 0);
    port.out(LCR, 0xbf);
    port.out(2, 0);
    port.out(LCR, 0);
    port.out(FCR, 0x01);
    assert.equal(port.in(IIR) >> 6, 3);
    port.out(LCR, 0x80);
    assert.notEqual(port.in(2), 0, 'no EFR');
    port.out(FCR, 0x21);
    assert.equal(port.in(IIR) >> 5, 6, 'no 16750');
    port.out(LCR, 0);
    port.out(IER, 0x40);
    assert.equal(port.in(IER), 0, 'no unit-enable bit');
  });

  test('finds a divisor behind DLAB, and data and IER without it', () => {
    const port = new SerialPort();
    port.out(LCR, 0x80);
    port.out(DATA, 0x34);
    port.out(IER, 0x12);
    assert.deepEqual([port.in(DATA), port.in(IER)], [0x34, 0x12]);
    assert.deepEqual(port.sent, []);
    port.out(LCR, 0x03);
    assert.equal(port.in(IER), 0);
    port.out(DATA, 0x41);
    assert.equal(port.text(), 'A');
  });

  test('finds a scratch register, and an always empty transmitter', () => {
    const port = new SerialPort();
    port.out(SCR, 0xa5);
    assert.equal(port.in(SCR), 0xa5);
    assert.equal(port.in(LSR), 0x60);
  });
});

describe('interrupts', () => {
  test('of the transmitter come when they are switched on, go when read, and come again with each byte sent', () => {
    const port = new SerialPort();
    port.out(MCR, OUT2);
    port.out(IER, 0x02);
    assert.equal(port.level, 1);
    assert.equal(port.in(IIR) & 0x0f, 0x02);
    assert.equal(port.level, 0);
    assert.equal(port.in(IIR) & 0x0f, 0x01);
    port.out(DATA, 0x41);
    assert.equal(port.level, 1);
    port.levels.length = 0;
    port.out(DATA, 0x42);
    assert.deepEqual(port.levels, [0, 1], 'an edge, for a controller that wants one');
    port.out(IER, 0);
    assert.equal(port.level, 0);
    port.out(IER, 0x02);
    assert.equal(port.in(IIR) & 0x0f, 0x02, 'switched on again');
  });

  test('of the receiver last until its bytes are read', () => {
    const port = new SerialPort();
    port.out(MCR, OUT2);
    port.out(FCR, 0xc1);
    port.out(IER, 0x01);
    assert.equal(port.uart.receive(Buffer.from('ab')), 2);
    assert.equal(port.level, 1);
    assert.equal(port.in(IIR), 0xcc, 'below the trigger: timeout');
    assert.equal(port.in(IIR), 0xcc, 'reading IIR does not take it back');
    assert.deepEqual([port.in(DATA), port.level, port.in(DATA), port.level], [0x61, 1, 0x62, 0]);
    port.uart.receive(Buffer.alloc(14));
    assert.equal(port.in(IIR), 0xc4, 'at the trigger of 14');
  });

  test('reach the controller through OUT2 only', () => {
    const port = new SerialPort();
    port.out(IER, 0x02);
    assert.equal(port.level, 0);
    port.out(MCR, OUT2);
    assert.equal(port.level, 1);
    port.out(MCR, 0);
    assert.equal(port.level, 0);
  });

  test('are told in order of priority: receiver before transmitter before modem lines', () => {
    const port = new SerialPort();
    port.out(MCR, LOOP);
    port.out(MCR, OUT2);
    port.out(IER, 0x0f);
    port.uart.receive(Buffer.from('x'));
    const seen = [port.in(IIR) & 0x0f];
    port.in(DATA);
    seen.push(port.in(IIR) & 0x0f, port.in(IIR) & 0x0f);
    assert.equal(port.in(MSR) & 0x0f, 0x0b, 'CTS, DSR and DCD changed twice');
    seen.push(port.in(IIR) & 0x0f);
    assert.deepEqual(seen, [0x04, 0x02, 0x00, 0x01]);
  });

  test('never leave the line up with nothing pending, nor down with something, whatever is done', () => {
    const access = fc.record({
      write: fc.boolean(),
      offset: fc.integer({ min: 0, max: 7 }),
      value: fc.integer({ min: 0, max: 255 }),
      input: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 60 }), (accesses) => {
        const port = new SerialPort();
        for (const { write, offset, value, input } of accesses) {
          if (write) port.out(offset, value);
          else port.in(offset);
          port.uart.receive(new Uint8Array(input));
          const before = port.level;
          const mcr = port.in(MCR);
          const gate = (mcr & OUT2) !== 0 && (mcr & LOOP) === 0;
          const pending = (port.in(IIR) & 1) === 0;
          assert.equal(before, gate && pending ? 1 : 0);
        }
        for (const [index, level] of port.levels.entries()) assert.notEqual(level, port.levels[index - 1] ?? 0);
      }),
    );
  });
});

describe('input', () => {
  test('is taken as far as there is room; the rest waits for the room that reading makes', () => {
    const port = new SerialPort();
    port.out(FCR, 0x01);
    assert.equal(port.uart.receive(Buffer.from('0123456789abcdefXYZ')), 16);
    assert.equal(port.uart.receive(Buffer.from('X')), 0);
    port.rooms = 0;
    assert.equal(port.in(DATA), 0x30);
    assert.equal(port.rooms, 1);
    assert.equal(port.uart.receive(Buffer.from('XYZ')), 1);
    assert.equal(port.in(LSR) & 0x03, 0x01, 'nothing was lost');
  });

  test('arrives whole and in order, however it is held back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, fifos) => {
        const port = new SerialPort();
        if (fifos) port.out(FCR, 0x01);
        const got: number[] = [];
        let given = 0;
        while (got.length < bytes.length) {
          given += port.uart.receive(bytes.subarray(given));
          assert.equal(port.in(LSR) & 0x01, 1);
          got.push(port.in(DATA));
        }
        assert.deepEqual(got, [...bytes]);
      }),
    );
  });

  test('in loopback comes from the guest itself and from nowhere else', () => {
    const port = new SerialPort();
    port.out(MCR, LOOP);
    assert.equal(port.uart.receive(Buffer.from('x')), 0);
    port.out(DATA, 0x55);
    port.out(DATA, 0x66);
    assert.equal(port.in(LSR) & 0x03, 0x03, 'one byte of room: the second overran');
    assert.equal(port.in(LSR) & 0x02, 0, 'told once');
    assert.equal(port.in(DATA), 0x55);
    assert.deepEqual(port.sent, []);
  });
});
