import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Bus, type Device } from '../../src/devices/index.ts';

class Recorder implements Device {
  readonly name: string;
  readonly seen: string[] = [];
  constructor(name: string) {
    this.name = name;
  }
  read(offset: number, data: Uint8Array): void {
    this.seen.push(`r${offset}/${data.length}`);
    data.fill(offset);
  }
  write(offset: number, data: Uint8Array): void {
    this.seen.push(`w${offset}=${Buffer.from(data).toString('hex')}`);
  }
  save(): object {
    return { seen: [...this.seen] };
  }
  restore({ seen }: { readonly seen: readonly string[] }): void {
    this.seen.push(...seen);
  }
}

describe('a bus', () => {
  test('gives a device offsets from its own base', () => {
    const bus = new Bus('pio');
    const [a, b] = [new Recorder('a'), new Recorder('b')];
    bus.insert(0x3f8, 8, a);
    bus.insert(0x70, 2, b);
    bus.write(0x3f9, Uint8Array.of(7));
    bus.write(0x71, Uint8Array.of(1, 2).subarray(0, 1));
    const data = new Uint8Array(1);
    bus.read(0x3fd, data);
    assert.deepEqual([a.seen, b.seen, data[0]], [['w1=07', 'r5/1'], ['w1=01'], 5]);
  });

  test('reads all ones where nothing is, drops what is written there, and counts both', () => {
    const bus = new Bus('mmio');
    bus.insert(0x1000, 4, new Recorder('a'));
    const data = new Uint8Array(8);
    bus.read(0x1000, data);
    assert.deepEqual(
      [...data],
      Array.from({ length: 8 }, () => 0xff),
      'not all of it is the device’s',
    );
    bus.read(0xfff, new Uint8Array(2));
    bus.write(0x1004, Uint8Array.of(1));
    assert.deepEqual(bus.unmapped, { reads: 2, writes: 1 });
    bus.read(0x1003, new Uint8Array(1));
    bus.read(0x1003, new Uint8Array(2));
    assert.deepEqual(bus.unmapped, { reads: 3, writes: 1 }, 'nor because its device was the last one used');
  });

  test('takes a string instruction as one access an item', () => {
    const bus = new Bus('pio');
    const device = new Recorder('a');
    bus.insert(0x10, 4, device);
    bus.transfer('out', 0x10, 2, Uint8Array.of(1, 2, 3, 4));
    bus.transfer('out', 0x10, 1, Uint8Array.of(9));
    const data = new Uint8Array(3);
    bus.transfer('in', 0x12, 1, data);
    assert.deepEqual(device.seen, ['w0=0102', 'w0=0304', 'w0=09', 'r2/1', 'r2/1', 'r2/1']);
    assert.deepEqual([...data], [2, 2, 2]);
  });

  test('refuses ranges that overlap or are none', () => {
    const bus = new Bus('pio');
    bus.insert(0x10, 4, new Recorder('a'));
    for (const [base, size] of [
      [0x13, 1],
      [0x0f, 2],
      [0x0, 0x100],
      [0x20, 0],
      [0x20, -1],
      [-1, 1],
      [0.5, 1],
    ] as const)
      assert.throws(() => bus.insert(base, size, new Recorder('b')), RangeError, `${base}+${size}`);
    bus.insert(0x14, 1, new Recorder('c'));
    bus.insert(0x0f, 1, new Recorder('d'));
  });
});
