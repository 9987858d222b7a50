import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomeInWords, runSuite } from '../../conformance/index.ts';

const SOFTWARE = { module: import.meta.resolve('../../src/software/index.ts'), export: 'openSoftwareKvm' };

/** What it doesn't have, by need: everything else it must answer. */
const NOT_THERE = new Set([
  'KVM_CAP_MULTI_ADDRESS_SPACE',
  'KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2',
  'KVM_CAP_X86_BUS_LOCK_EXIT',
]);

test('the software KVM keeps every promise of the user API, with no /dev/kvm', async (t) => {
  const report = await runSuite({ backend: SOFTWARE });
  assert.equal(report.backend.engine, 'wasm');
  for (const outcome of report.outcomes) {
    if (outcome.status === 'not-applicable') {
      t.diagnostic(outcomeInWords(outcome));
      continue;
    }
    if (outcome.status === 'cannot-answer') {
      t.diagnostic(outcomeInWords(outcome));
      // Rules about a kernel that lacks something can't be asked of one that has it.
      assert.ok(NOT_THERE.has(outcome.need) || outcome.need.startsWith('no '), outcomeInWords(outcome));
      continue;
    }
    await t.test(outcome.id, () => assert.equal(outcome.status, 'passed', outcomeInWords(outcome)));
  }
});
