import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoKvm, outcomeInWords, type Report, runSuite } from '../conformance/index.ts';

const LINUX = { module: import.meta.resolve('../src/linux/index.ts'), export: 'openLinuxKvm' };

test('the kernel’s KVM keeps every promise of the user API that it can be asked about', async (t) => {
  let report: Report;
  try {
    report = await runSuite({ backend: LINUX });
  } catch (error) {
    if (!(error instanceof NoKvm)) throw error;
    t.skip(`/dev/kvm can't be opened here: ${error.message}`);
    return;
  }
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
