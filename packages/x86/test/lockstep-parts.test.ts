/** The parts of lockstep that need no QEMU. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { compareRegisters } from '../lockstep/compare-registers.ts';
import { PacketReader, packet } from '../lockstep/gdb-packets.ts';
import { parseSystemRegisters } from '../lockstep/qemu-system-registers.ts';
import { emptyRegisters } from '../lockstep/register-file.ts';
import { parseReplayLog } from '../lockstep/replay-log.ts';
import { countOfRep } from '../lockstep/rounds.ts';

/** Big-endian. */
function u32(value: number): number[] {
  return [value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff];
}

function segment(name: string): string {
  return `${name} =0010 0000000000001000 ffffffff 00af9b00 DPL=0 CS64 [-RA]`;
}

describe('packets of the GDB protocol', () => {
  test('a command has its checksum', () => {
    assert.equal(packet('g'), '$g#67');
  });

  test('what is packed is unpacked, however it arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary-ascii' })), fc.integer({ min: 1, max: 7 }), (texts, size) => {
        const wire = Buffer.from(texts.map((text) => `+${packet(text)}`).join(''), 'latin1');
        const reader = new PacketReader();
        const got: string[] = [];
        for (let at = 0; at < wire.length; at += size) {
          reader.push(wire.subarray(at, at + size));
          for (let next = reader.next(); next !== undefined; next = reader.next()) got.push(next);
        }
        assert.deepEqual(got, texts);
      }),
    );
  });

  test('run lengths are expanded', () => {
    const reader = new PacketReader();
    reader.push(Buffer.from('$0* #7a'));
    assert.equal(reader.next(), '0000');
  });

  test('a wrong checksum is an error', () => {
    const reader = new PacketReader();
    reader.push(Buffer.from('$OK#00'));
    assert.throws(() => reader.next(), /checksum/);
  });
});

describe("QEMU's replay log", () => {
  const head = [0x00, 0xe0, 0x20, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0];
  const clock = [28, 1, 2, 3, 4, 5, 6, 7, 8];

  test('interrupts are told with their instruction counts', () => {
    const events = [...clock, 0, ...u32(1000), 1, 31, 0, ...u32(70_000), 2, ...clock, 1, 0, ...u32(5), 39];
    assert.deepEqual(parseReplayLog(Buffer.from([...head, ...events])), { interrupts: [1000, 71_000], end: 71_005 });
  });

  test('characters and random numbers are skipped by their length', () => {
    const events = [7, 0, ...u32(3), 1, 1, 1, 22, ...u32(1), ...u32(1), 27, ...u32(0), ...u32(2), 39, 39, 1, 39];
    assert.deepEqual(parseReplayLog(Buffer.from([...head, ...events])), { interrupts: [0], end: 0 });
  });

  test('another version, a log that is cut off and unknown events are errors', () => {
    assert.throws(() => parseReplayLog(Buffer.from([0x00, 0xe0, 0x20, 0x0d, 0, 0, 0, 0, 0, 0, 0, 0, 39])), /7\.2/);
    assert.throws(() => parseReplayLog(Buffer.from([...head, 1])), /cut off/);
    assert.throws(() => parseReplayLog(Buffer.from([...head, 77])), /event 77/);
  });
});

describe('counting REP as QEMU does', () => {
  test('a copy of three costs three rounds and the look at RCX', () => {
    assert.deepEqual(countOfRep('plain', 3, 0, false), { count: 4, ended: true });
    assert.deepEqual(countOfRep('plain', 2, 1, false), { count: 2, ended: false });
  });

  test('a comparison that ends by ZF looks at RCX no more', () => {
    assert.deepEqual(countOfRep('equal', 2, 5, false), { count: 2, ended: true });
    assert.deepEqual(countOfRep('equal', 7, 0, true), { count: 8, ended: true });
    assert.deepEqual(countOfRep('unequal', 2, 5, true), { count: 2, ended: true });
  });
});

describe('registers of two machines', () => {
  test('status flags are left out where they may be undefined', () => {
    const one = emptyRegisters();
    const other = { ...emptyRegisters(), rflags: 2 | 0x8d5 };
    assert.deepEqual(compareRegisters(one, other, false), []);
    assert.deepEqual(compareRegisters(one, other, true), [{ register: 'rflags', leader: '0x2', ours: '0x8d7' }]);
  });

  test('what differs is named with both values', () => {
    const other = emptyRegisters();
    other.gpr[3] = 7n;
    other.xmm[17] = 1;
    assert.deepEqual(
      compareRegisters(emptyRegisters(), other, true).map(({ register, ours }) => [register, ours]),
      [
        ['rbx', '0x7'],
        ['xmm1', '00010000000000000000000000000000'],
      ],
    );
  });

  test("hidden segment state is read from QEMU's monitor", () => {
    const names = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDT', 'TR'].map((name) => segment(name.padEnd(2)));
    const tables = ['GDT=     fffffe0000001000 0000007f', 'IDT=     fffffe0000000000 00000fff'];
    const { segments, gdt } = parseSystemRegisters([...names, ...tables].join('\n'));
    assert.deepEqual(segments.cs, { selector: 16, base: 0x1000n, limit: 0xffff_ffff, flags: 0xaf_9b00 });
    assert.deepEqual(gdt, { base: 0xffff_fe00_0000_1000n, limit: 0x7f });
    assert.throws(() => parseSystemRegisters(names.join('\n')), /GDT/);
  });
});
