import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Divergence, observationsOf, type Proof } from '../../src/index.ts';
import { whyUnknown } from '../../src/prove/proof.ts';
import type { SubjectState } from '../../src/prove/subject-messages.ts';

const SAME: Proof = {
  outcome: 'same',
  seed: 1,
  memoryBytes: 2 ** 29,
  instructions: 700_000_000,
  window: 100_000,
  windows: 7000,
  digest: 'd',
  end: { kind: 'ended', reason: 'power-off' },
  userSpace: true,
  encrypted: true,
  guestSeconds: 0.7,
  seconds: 7,
  lastLine: 'reboot: Power down',
  conversions: 641,
  convertedBytes: 580 * 2 ** 20,
  wrongViewAccesses: 513,
  lies: 0,
  firstLies: [],
};
const STATE: SubjectState = { ...SAME, retired: 1, end: { kind: 'text' }, firstLies: [] };
const AT = { after: 5_833_519, rip: '0xffffffff81063150', text: 'mov eax,[rdi]' };
const divergence = (kind: 'host-write' | 'undefined' | 'unexplained'): Divergence => ({
  at: AT,
  registers: [{ name: 'rax', sev: '0x2', upm: '0x0' }],
  loss: {
    bytes: { gpa: 0x300_1000, length: 1, view: 'shared', attribute: 'private', sev: '02', upm: '00' },
    origin: { kind },
  },
});
const said = (proof: Proof) => observationsOf(proof).map(({ statement, answer }) => [statement, answer]);

describe('what a proof says of an image', () => {
  test('without a divergence: that it runs, that it reports, and that it reports correctly', () => {
    assert.deepEqual(said(SAME), [
      ['sev-guest', 'yes'],
      ['reports-conversions', 'yes'],
      ['reports-correctly', 'yes'],
    ]);
    const { signal, seen } = observationsOf(SAME)[0]?.evidence ?? {};
    assert.equal(signal, 'run-in-lockstep');
    assert.match(seen ?? '', /700,000,000 instructions to power-off.*641 conversions of 580 MiB.*Power down/);
  });

  test('with a lie that changed nothing: not that it reports correctly', () => {
    assert.deepEqual(said({ ...SAME, lies: 1 }).at(-1), ['reports-conversions', 'yes']);
  });

  test('with a divergence: that it does not report, or not correctly', () => {
    const diverged = { ...SAME, outcome: 'diverged', divergence: divergence('host-write') } as const;
    assert.deepEqual(said(diverged), [['reports-correctly', 'no']]);
    assert.deepEqual(said({ ...diverged, conversions: 0 }), [['reports-conversions', 'no']]);
    assert.match(observationsOf(diverged)[0]?.evidence.seen ?? '', /5,833,519.*GPA 0x3001000/);
  });

  test('nothing, where it is unknown, or where nothing explains the difference', () => {
    assert.deepEqual(said({ ...SAME, outcome: 'unknown', why: 'it crashed' }), []);
    assert.deepEqual(said({ ...SAME, outcome: 'diverged', divergence: divergence('unexplained') }), []);
    assert.deepEqual(said({ ...SAME, outcome: 'diverged', divergence: { at: AT, registers: [] } }), []);
  });
});

describe('whether a run shows anything', () => {
  test('it does in user space, with a conversion reported', () => {
    assert.equal(whyUnknown(STATE, undefined), undefined);
  });

  test('it does not where the guest never came so far', () => {
    assert.match(whyUnknown({ ...STATE, end: { kind: 'crashed', detail: 'triple fault' } }, undefined) ?? '', /triple/);
    assert.match(whyUnknown({ ...STATE, encrypted: false }, undefined) ?? '', /C bit/);
    assert.match(whyUnknown({ ...STATE, userSpace: false }, undefined) ?? '', /user space/);
    assert.match(whyUnknown({ ...STATE, conversions: 0 }, undefined) ?? '', /never reported/);
  });

  test('a difference is one, but for what is left to chance', () => {
    assert.equal(whyUnknown({ ...STATE, userSpace: false }, divergence('host-write')), undefined);
    assert.match(whyUnknown(STATE, divergence('undefined')) ?? '', /chance/);
  });
});
