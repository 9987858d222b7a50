import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { observe, type Watch } from '../../src/process/watchdog.ts';

const LIMITS = { stuckAfterMs: 20_000, kickAnswerMs: 5_000 };
const SPIN = { rip: 0x1000, halted: false, cpl: 0 };

/** Looks every second at what `sampleAt` shows, for a minute. */
function firstStuck(sampleAt: (second: number) => { rip: number; halted: boolean; cpl: number; exits: number }) {
  let watch: Watch | undefined;
  for (let second = 0; second < 60; second++) {
    const { exits, ...sample } = sampleAt(second);
    const found = observe(watch, sample, exits, second * 1000, LIMITS);
    if (found.kind === 'stuck') return second;
    watch = found.watch;
  }
  return undefined;
}

describe('the watchdog', () => {
  test('finds a guest that turns at one place without an exit', () => {
    assert.equal(
      firstStuck(() => ({ ...SPIN, exits: 7 })),
      20,
    );
  });

  test('finds a loop of a few instructions too', () => {
    assert.equal(
      firstStuck((second) => ({ ...SPIN, rip: 0x1000 + (second % 4) * 10, exits: 7 })),
      20,
    );
  });

  for (const [what, sampleAt] of [
    ['makes exits', (second: number) => ({ ...SPIN, exits: second })],
    ['waits for an interrupt', () => ({ ...SPIN, halted: true, exits: 0 })],
    ['loops in user code', () => ({ ...SPIN, cpl: 3, exits: 0 })],
    ['is somewhere else each time', (second: number) => ({ ...SPIN, rip: second * 4096, exits: 0 })],
  ] as const)
    test(`leaves a guest alone that ${what}`, () => assert.equal(firstStuck(sampleAt), undefined));

  test('can be switched off', () => {
    const watch: Watch = { sinceMs: 0, rip: SPIN.rip, guestExits: 0 };
    assert.equal(observe(watch, SPIN, 0, 1e9, { ...LIMITS, stuckAfterMs: 0 }).kind, 'same-place');
  });
});
