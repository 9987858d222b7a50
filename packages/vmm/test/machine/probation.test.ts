import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { ON_PROBATION, type ProbationEvent, probationAfter, probationText } from '../../src/machine/probation.ts';

const REPORTED: ProbationEvent = { kind: 'reported' };
const use = (attribute: 'private' | 'shared'): ProbationEvent => ({
  kind: 'host-use',
  use: 'kvm-clock',
  gpa: 0x3000,
  attribute,
});
const after = (events: readonly ProbationEvent[]) => events.reduce(probationAfter, ON_PROBATION);

describe('probation', () => {
  test('is failed by a first host use of a page that is still private', () => {
    assert.equal(after([use('private')]).state, 'failed');
    assert.match(probationText(after([use('private')]), 'sev'), /0x3000 \(kvm-clock\) without any report.*as sev/);
  });

  test('is failed by a guest that reports other pages than it uses', () => {
    assert.equal(after([REPORTED, REPORTED, use('private')]).state, 'failed');
  });

  test('is passed by a first host use of a page that was reported', () => {
    assert.equal(after([REPORTED, use('shared')]).state, 'passed');
    assert.match(probationText(after([REPORTED, use('shared')]), 'sev'), /^passed: the guest reported 1 conversion /);
  });

  test('stays undecided while the host is asked for nothing', () => {
    assert.equal(after([REPORTED, REPORTED]).state, 'waiting');
    assert.match(probationText(after([]), 'sev'), /^undecided/);
  });

  test('is decided once, by the first host use', () => {
    const event = fc.constantFrom(REPORTED, use('private'), use('shared'));
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const first = events.find((item) => item.kind === 'host-use');
        const expected = first?.kind !== 'host-use' ? 'waiting' : first.attribute === 'private' ? 'failed' : 'passed';
        assert.equal(after(events).state, expected);
      }),
    );
  });
});
