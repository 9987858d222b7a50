import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomeInWords, runSuite } from '../conformance/index.ts';
import { lacksKvm } from './helpers/kvm-access.ts';

const LINUX = { module: import.meta.resolve('../src/linux/index.ts'), export: 'openLinuxKvm' };

test('the kernel’s KVM keeps every promise of the user API that it can be asked about', {
  skip: lacksKvm(),
}, async (t) => {
  const report = await runSuite({ backend: LINUX });
  const { backend } = report;
  t.diagnostic(`kernel ${backend.kernel}, engine ${backend.engine}`);
  for (const outcome of report.outcomes) {
    // A rule that this kernel can't answer is named, neither passed nor failed.
    if (outcome.status === 'cannot-answer' || outcome.status === 'not-applicable') {
      t.diagnostic(outcomeInWords(outcome));
      continue;
    }
    await t.test(outcome.id, () => assert.equal(outcome.status, 'passed', outcomeInWords(outcome)));
  }
});
