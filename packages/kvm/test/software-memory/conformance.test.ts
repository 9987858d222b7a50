import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Evaluator } from '../../conformance/evaluate.ts';
import { GuestWatch } from '../../conformance/guest-watch.ts';
import { rules } from '../../conformance/rules/index.ts';
import { makeHost } from './helpers/host.ts';
import { memoryKvm } from './helpers/memory-kvm.ts';

/** Rules of memory calls that are asked without a running guest. */
const TOPICS = ['memory-region', 'memory-region-2', 'guest-memfd', 'memory-attributes', 'dirty-log'] as const;
const ALSO = new Set([
  'close-order/guest-memfd-outlives-vm-descriptor',
  'sev/register-region-on-default-vm-enotty',
  'sev/unregister-region-on-default-vm-enotty',
]);
/** They run a guest. */
const NEEDS_GUEST = new Set(['dirty-log/writes-are-logged-once']);

const asked = rules.filter(
  ({ id }) => !NEEDS_GUEST.has(id) && (ALSO.has(id) || TOPICS.some((topic) => id.startsWith(`${topic}/`))),
);

describe('the memory of the software KVM keeps the rule', () => {
  const kvm = memoryKvm(makeHost(256));
  const evaluator = new Evaluator(kvm, new GuestWatch(new Int32Array(new SharedArrayBuffer(64)), 1, () => {}));
  for (const rule of asked)
    test(`${rule.id}: ${rule.says}`, () => {
      const outcome = evaluator.evaluate(rule);
      if (outcome.status === 'failed')
        assert.fail(`${outcome.what}: expected ${outcome.expected}, found ${outcome.found}`);
    });

  test('in all of them but the ones about kernels and builds that it is not', () => {
    const unanswered = asked.filter((rule) => evaluator.evaluate(rule).status !== 'passed').map(({ id }) => id);
    assert.deepEqual(unanswered, [
      'memory-region/address-spaces-are-apart',
      'memory-region-2/address-spaces-are-apart',
      'memory-region-2/guest-memfd-offset-beyond-files-einval',
      'memory-region-2/guest-memfd-on-vm-without-support-einval',
      'memory-attributes/without-support-enotty',
    ]);
    assert.ok(asked.length > 80);
  });
});
