import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Pic } from '../../src/software/irq/pic.ts';

const PIC_STATE_BYTES = 16;

class TestPic {
  readonly acked: number[] = [];
  readonly pic = new Pic({ acked: (line) => this.acked.push(line), masked: () => {} });

  constructor() {
    for (const [port, base, wiring] of [
      [0x20, 0x20, 4],
      [0xa0, 0x28, 2],
    ] as const) {
      this.out(port, 0x11);
      for (const word of [base, wiring, 1, 0]) this.out(port + 1, word);
    }
    this.acked.length = 0;
  }

  out(port: number, value: number): void {
    this.pic.write(port, Uint8Array.of(value));
  }

  in(port: number): number {
    const data = new Uint8Array(1);
    this.pic.read(port, data);
    return data[0] ?? 0;
  }

  raise(...lines: number[]): void {
    for (const line of lines) this.pic.setLine(line, true);
  }

  /** The vector, or -1 where INTR is low. */
  take(): number {
    return this.pic.intr ? this.pic.acknowledge() : -1;
  }
}

describe('two 8259s', () => {
  test('the lower line first; the slave’s lines stand where the cascade is', () => {
    const chips = new TestPic();
    chips.raise(3, 14, 8, 1);
    const vectors: number[] = [];
    for (let vector = chips.take(); vector >= 0; vector = chips.take()) {
      vectors.push(vector);
      if (vector >= 0x28) chips.out(0xa0, 0x20);
      chips.out(0x20, 0x20);
    }
    assert.deepEqual(vectors, [0x21, 0x28, 0x2e, 0x23]);
  });

  test('a line in service holds back its own and lower ones, not higher ones', () => {
    const chips = new TestPic();
    chips.raise(4);
    assert.equal(chips.take(), 0x24);
    chips.raise(5);
    assert.equal(chips.take(), -1);
    chips.raise(1);
    assert.equal(chips.take(), 0x21);
  });

  test('an edge is remembered, a level is over when the line goes down', () => {
    const chips = new TestPic();
    chips.raise(5);
    chips.pic.setLine(5, false);
    assert.equal(chips.take(), 0x25);
    chips.out(0x20, 0x20);
    chips.out(0x4d0, 1 << 5);
    chips.raise(5);
    chips.pic.setLine(5, false);
    assert.equal(chips.take(), -1);
  });

  test('a level comes again until the line goes down', () => {
    const chips = new TestPic();
    chips.out(0x4d1, 1 << 3);
    chips.raise(11);
    for (let time = 0; time < 3; time += 1) {
      assert.equal(chips.take(), 0x2b);
      chips.out(0xa0, 0x20);
      chips.out(0x20, 0x20);
    }
    chips.pic.setLine(11, false);
    // The slave's request stays latched on the master: a spurious interrupt 15.
    assert.equal(chips.take(), 0x2f);
    assert.deepEqual(chips.acked, [11, 2, 11, 2, 11, 2]);
  });

  test('only lines that the ELCR has can be level-triggered', () => {
    const chips = new TestPic();
    chips.out(0x4d0, 0xff);
    chips.out(0x4d1, 0xff);
    assert.deepEqual([chips.in(0x4d0), chips.in(0x4d1)], [0xf8, 0xde]);
  });

  test('an acknowledge with nothing wanted is a spurious 7', () => {
    const chips = new TestPic();
    assert.equal(chips.pic.acknowledge(), 0x27);
    chips.out(0x20, 0x0b);
    assert.equal(chips.in(0x20), 0);
  });

  test('automatic end of interrupt leaves nothing in service', () => {
    const chips = new TestPic();
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0x40],
      [0x21, 4],
      [0x21, 3],
      [0x21, 0],
    ] as const)
      chips.out(port, value);
    chips.raise(6, 7);
    assert.deepEqual([chips.take(), chips.take(), chips.take()], [0x46, 0x47, -1]);
  });

  test('rotation makes the line that was served the last one', () => {
    const chips = new TestPic();
    chips.raise(0, 3);
    assert.equal(chips.take(), 0x20);
    chips.out(0x20, 0xa0);
    chips.pic.setLine(0, false);
    chips.raise(0);
    assert.equal(chips.take(), 0x23);
  });

  test('a poll takes a line without an interrupt', () => {
    const chips = new TestPic();
    chips.raise(3);
    chips.out(0x20, 0x0c);
    assert.equal(chips.in(0x20), 0x83);
    assert.equal(chips.take(), -1);
    chips.out(0x20, 0x0c);
    assert.equal(chips.in(0x20), 7);
  });

  test('an access of two bytes reads 0 and writes nothing; three ports are not ours', () => {
    const chips = new TestPic();
    const wide = Uint8Array.of(0xff, 0xff);
    chips.pic.write(0x20, wide);
    chips.pic.read(0x20, wide);
    assert.deepEqual(wide, Uint8Array.of(0, 0));
    assert.deepEqual(
      [Pic.hasPort(0x20, 2), Pic.hasPort(0x21, 2), Pic.hasPort(0x20, 4), Pic.hasPort(0x4d1, 1)],
      [true, false, false, true],
    );
  });

  test('in fully nested mode any masks, edges and ends give the highest open line above those in service', () => {
    type Step = { readonly mask: number } | { readonly edge: number } | 'take' | 'end';
    const steps = fc.array(
      fc.oneof<fc.Arbitrary<Step>[]>(
        fc.record({ mask: fc.integer({ min: 0, max: 255 }) }),
        fc.record({ edge: fc.constantFrom(0, 1, 3, 4, 5, 6, 7) }),
        fc.constant('take'),
        fc.constant('end'),
      ),
      { maxLength: 50 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const chips = new TestPic();
        const requested = new Set<number>();
        const serviced = new Set<number>();
        let mask = 0;
        const wanted = (): number => {
          const open = Math.min(8, ...[...requested].filter((line) => (mask & (1 << line)) === 0));
          return open < Math.min(8, ...serviced) ? open : -1;
        };
        for (const step of list) {
          if (step === 'take') {
            const line = wanted();
            assert.equal(chips.take(), line < 0 ? -1 : 0x20 + line);
            if (line >= 0) serviced.add(line);
            requested.delete(line);
          } else if (step === 'end') {
            chips.out(0x20, 0x20);
            serviced.delete(Math.min(8, ...serviced));
          } else if ('mask' in step) {
            mask = step.mask;
            chips.out(0x21, mask);
          } else {
            chips.raise(step.edge);
            chips.pic.setLine(step.edge, false);
            requested.add(step.edge);
          }
          assert.equal(chips.pic.intr, wanted() >= 0);
        }
      }),
    );
  });

  test('each chip is saved as struct kvm_pic_state, and goes on where it was', () => {
    const chips = new TestPic();
    chips.out(0x4d1, 8);
    chips.raise(11, 3);
    assert.equal(chips.take(), 0x2b);
    const [master, slave] = [chips.pic.save('master'), chips.pic.save('slave')];
    assert.deepEqual([master.length, slave.length], [PIC_STATE_BYTES, PIC_STATE_BYTES]);
    const other = new TestPic();
    other.pic.restore('master', master);
    other.pic.restore('slave', slave);
    assert.deepEqual([other.pic.save('master'), other.pic.save('slave')], [master, slave]);
    other.pic.setLine(11, false);
    other.out(0xa0, 0x20);
    other.out(0x20, 0x20);
    assert.equal(other.take(), 0x23);
  });
});
