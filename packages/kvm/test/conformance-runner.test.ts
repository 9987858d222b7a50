import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { EXIT_FAILED, EXIT_PASSED, exitCodeOf, NoKvm, type Outcome, runSuite } from '../conformance/index.ts';
import { reportAsJson, reportInWords } from '../conformance/report.ts';
import { lacksKvm } from './helpers/kvm-access.ts';

const LINUX = { module: import.meta.resolve('../src/linux/index.ts'), export: 'openLinuxKvm' };
const BROKEN = import.meta.resolve('./helpers/broken-rules.ts');
const skip = lacksKvm();

describe('the conformance runner, with rules made to fail', { skip }, () => {
  const outcomes = new Map<string, Outcome>();
  let report: Awaited<ReturnType<typeof runSuite>>;

  before(async () => {
    report = await runSuite({ backend: LINUX, rules: BROKEN, runLimitMs: 500, silenceLimitMs: 10_000 });
    for (const outcome of report.outcomes) outcomes.set(outcome.id, outcome);
  });

  const failure = (id: string) => {
    const outcome = outcomes.get(`fixture/${id}`);
    assert.equal(outcome?.status, 'failed', id);
    return outcome;
  };

  test('tells expected and found of a wrong value', () => {
    const { what, expected, found } = failure('wrong-value');
    assert.deepEqual([what, expected, found], ['KVM_GET_API_VERSION', '13 (0xd)', '12 (0xc)']);
  });

  test('tells the errno that came instead', () => {
    const { what, expected, found } = failure('wrong-errno');
    assert.deepEqual([what, expected, found], ['a slot', 'ENOENT', 'EINVAL']);
  });

  test('tells a success where a refusal was promised', () => {
    const { expected, found } = failure('wrong-success');
    assert.deepEqual([expected, found], ['EBUSY', 'success']);
  });

  test('tells the exit that came instead', () => {
    const { expected, found } = failure('wrong-exit');
    assert.deepEqual([expected, found], ['exit shutdown', 'exit hlt']);
  });

  test('fails a rule whose things do not close', () => assert.match(failure('wrong-cleanup').found, /stays open/));

  test('kicks a guest that stays in KVM_RUN, and goes on', () => {
    assert.match(failure('stuck-guest').found, /did not leave KVM_RUN within 500 ms/);
    assert.equal(outcomes.get('fixture/good-after-stuck')?.status, 'passed');
  });

  test('fails a rule that takes its process down, and goes on in a new one', () => {
    assert.match(failure('crash').found, /SIGKILL/);
    assert.equal(outcomes.get('fixture/good-after-crash')?.status, 'passed');
  });

  test('kills a process that says nothing any more, and goes on in a new one', () => {
    assert.match(failure('silent').found, /silent for too long: killed/);
    assert.equal(outcomes.get('fixture/good-after-silence')?.status, 'passed');
  });

  test('names what a KVM cannot answer, and why', () => {
    assert.deepEqual(outcomes.get('fixture/needs-the-impossible'), {
      status: 'cannot-answer',
      id: 'fixture/needs-the-impossible',
      need: 'the impossible',
      reason: 'no KVM has it',
    });
    const broken = outcomes.get('fixture/needs-a-broken-probe');
    assert.ok(broken?.status === 'cannot-answer');
    assert.match(broken.reason, /probe broke/);
  });

  test('asks only what this kernel promises, in the variant that it promises', () => {
    assert.equal(outcomes.get('fixture/long-gone')?.status, 'not-applicable');
    assert.equal(outcomes.get('fixture/variant-by-kernel')?.status, 'passed');
  });

  test('reports in words and as JSON, and exits with a failure', () => {
    assert.equal(exitCodeOf(report), EXIT_FAILED);
    assert.match(reportInWords(report), /^FAILED {2}fixture\/wrong-errno: a slot: expected ENOENT, found EINVAL$/m);
    assert.match(reportInWords(report), /15 rules: 4 passed, 8 failed, 2 cannot be answered here, 1 not promised/);
    const json = JSON.parse(reportAsJson(report)) as { readonly counts: unknown };
    assert.deepEqual(json.counts, { passed: 4, failed: 8, 'cannot-answer': 2, 'not-applicable': 1 });
  });
});

describe('the conformance runner', () => {
  test('asks one rule by its id, and exits well when it holds', { skip }, async () => {
    const report = await runSuite({ backend: LINUX, only: ['system/api-version-is-12'] });
    assert.deepEqual(report.outcomes, [{ status: 'passed', id: 'system/api-version-is-12' }]);
    assert.equal(exitCodeOf(report), EXIT_PASSED);
  });

  test('refuses an id that is not there', async () => {
    await assert.rejects(runSuite({ backend: LINUX, only: ['no/such-rule'] }), /no rule 'no\/such-rule'/);
  });

  test('says so where the backend does not open', async () => {
    const backend = { module: BROKEN, export: 'openNothing' };
    await assert.rejects(runSuite({ backend }), (error) => error instanceof NoKvm && /openNothing/.test(error.message));
  });

  test('says so where the backend is not built', async () => {
    const backend = { module: import.meta.resolve('./no-such-backend.ts'), export: 'openNothing' };
    await assert.rejects(runSuite({ backend }), /NoKvm: this backend is not built/);
  });
});
