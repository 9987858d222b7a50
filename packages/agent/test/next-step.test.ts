import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { nextStep } from '../src/vms/next-step.ts';
import type { Observed } from '../src/vms/observe.ts';

const PROCESS = { pid: 1, startTicks: 1 };
const ERROR = { code: 'IO', message: 'm', subject: 's' };

const observed: fc.Arbitrary<Observed> = fc.oneof(
  fc.constant<Observed>({ kind: 'none' }),
  fc.constant<Observed>({ kind: 'refused', error: ERROR }),
  fc.constant<Observed>({ kind: 'running', process: PROCESS }),
  fc.record({
    kind: fc.constant('gone' as const),
    words: fc.string(),
    last: fc.oneof(
      fc.constant(undefined),
      fc.constant({ ending: { reason: 'power-off' } }),
      fc.constant({ error: ERROR }),
    ),
  }),
);
const desired = fc.constantFrom('running' as const, 'stopped' as const);

describe('the next step for a VM', () => {
  test('is a start only where nothing was ever started and it shall run', () => {
    fc.assert(
      fc.property(desired, observed, (wanted, seen) => {
        const starts = nextStep('web', 'u', wanted, seen).do === 'start';
        assert.equal(starts, wanted === 'running' && seen.kind === 'none');
      }),
    );
  });

  test('never touches the process of a VM that shall run', () => {
    fc.assert(
      fc.property(observed, (seen) => {
        assert.notEqual(nextStep('web', 'u', 'running', seen).do, 'stop');
      }),
    );
  });

  test('reports the end of a process that is gone as what it said, or as a death', () => {
    fc.assert(
      fc.property(desired, observed, (wanted, seen) => {
        if (seen.kind !== 'gone') return;
        const step = nextStep('web', 'u', wanted, seen);
        assert.ok(step.do === 'report');
        const { state, error } = step.status;
        if (seen.last === undefined) assert.deepEqual([state, error?.code], ['failed', 'VMM_DIED']);
        else assert.equal(state, 'error' in seen.last ? 'failed' : 'ended');
      }),
    );
  });
});
