import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Device, Doorbell, type DoorbellRequest, I8042Command, Port92, RtcCmos } from '../../src/devices/index.ts';

const read = (device: Device, offset: number, size = 1): number => {
  const data = Buffer.alloc(size);
  device.read(offset, data);
  return data.readUIntLE(0, size);
};
const write = (device: Device, offset: number, value: number, size = 1): void => {
  const data = Buffer.alloc(size);
  data.writeUIntLE(value, 0, size);
  device.write(offset, data);
};

describe('the real-time clock', () => {
  const rtc = new RtcCmos(() => new Date('2031-12-09T23:58:47Z'));
  const cmos = (index: number) => {
    write(rtc, 0, index);
    return read(rtc, 1);
  };

  test('shows the host’s time as BCD of a 24-hour day', () => {
    assert.deepEqual([0x32, 9, 8, 7, 4, 2, 0].map(cmos), [0x20, 0x31, 0x12, 0x09, 0x23, 0x58, 0x47]);
    assert.equal(cmos(6), 3, 'Tuesday');
    assert.equal(cmos(0x0b) & 0x06, 0x02, '24 hours, BCD');
    assert.equal(cmos(0x0a) & 0x80, 0, 'no update in progress');
    assert.equal(cmos(0x0d), 0x80);
  });

  test('keeps the guest’s bytes, and its own time', () => {
    write(rtc, 0, 0x0f | 0x80);
    write(rtc, 1, 0x5a);
    assert.equal(cmos(0x0f), 0x5a);
    write(rtc, 0, 4);
    write(rtc, 1, 0x01);
    assert.equal(cmos(4), 0x23);
  });
});

describe('reset', () => {
  test('comes from the keyboard controller’s pulse command and no other', () => {
    let resets = 0;
    const device = new I8042Command(() => (resets += 1));
    assert.equal(read(device, 0), 0, 'ready for a command');
    for (let command = 0; command < 256; command += 1) if (command !== 0xfe) write(device, 0, command);
    assert.equal(resets, 0);
    write(device, 0, 0xfe);
    assert.equal(resets, 1);
  });

  test('comes from bit 0 of port 0x92', () => {
    let resets = 0;
    const device = new Port92(() => (resets += 1));
    write(device, 0, 0x02);
    assert.equal(resets, 0);
    assert.equal(read(device, 0), 0x02);
    write(device, 0, 0x03);
    assert.equal(resets, 1);
  });
});

describe('a doorbell', () => {
  test('rings with frame and count when the command is written, and keeps the result', () => {
    const requests: DoorbellRequest[] = [];
    const device = new Doorbell('test', (request) => {
      requests.push(request);
      return -22;
    });
    write(device, 0, 0xffff_ffff, 4);
    write(device, 4, 3, 4);
    assert.deepEqual(requests, []);
    write(device, 8, 0x10, 4);
    assert.deepEqual(requests, [{ gpa: 0xffff_ffff * 4096, count: 3, command: 0x10 }]);
    assert.equal(read(device, 12, 4) | 0, -22);
  });

  test('knows 32-bit accesses only', () => {
    const device = new Doorbell('test', () => assert.fail('it rang'));
    write(device, 8, 1, 1);
    write(device, 8, 1, 2);
    assert.equal(read(device, 12, 2), 0xffff);
    assert.equal(read(device, 0, 4), 0xffff_ffff);
  });
});
