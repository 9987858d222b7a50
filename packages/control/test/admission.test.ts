import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Verdict, vmType, vmTypes } from '@unpin/policy';
import { admit } from '../src/admission/admit.ts';
import { rightKernel, silentKernel, unreadKernel, wrongKernel } from './support/verdicts.ts';

function ask(
  verdict: Verdict,
  type: Parameters<typeof vmType>[0],
  more: { probation?: boolean; waiver?: boolean } = {},
) {
  return admit({
    image: 'web',
    verdict,
    type: vmType(type),
    waiver: more.waiver === true ? { by: 'ann', reason: 'a test' } : undefined,
    probation: more.probation ?? false,
  });
}

describe('admission', () => {
  test('a kernel that reports correctly may have every SEV type that needs no more than SEV', () => {
    for (const id of ['sev', 'sev-deferred', 'sev-upm'] as const) assert.equal(ask(rightKernel, id).kind, 'admitted');
  });

  test('a refusal names need, finding, level, the nearest type that it may have, and the remedy', () => {
    const admission = ask(silentKernel, 'sev-upm');
    assert.equal(admission.kind, 'refused');
    const { error } = admission;
    assert.equal(error.code, 'ADMISSION_REFUSED');
    assert.match(error.parts.found ?? '', /no function that reports conversions \(proven\)/);
    assert.match(error.parts.needed ?? '', /KVM_HC_MAP_GPA_RANGE \(proven\)/);
    assert.match(
      error.parts.next ?? '',
      /^use --type sev; or start it with --probation; or use a kernel that issues KVM_HC_MAP_GPA_RANGE/,
    );
    const detail = error.parts.detail as { outcome: string; reasons: { evidence: unknown[] }[] };
    assert.equal(detail.outcome, 'may-not');
    assert.equal(detail.reasons.length, vmType('sev-upm').needs.length);
    assert.ok(detail.reasons.every((reason) => reason.evidence.length > 0));
  });

  test('what is not known is refused by another code than what is known to fail', () => {
    const admission = ask(unreadKernel, 'sev-upm');
    assert.equal(admission.kind === 'refused' && admission.error.code, 'ADMISSION_UNKNOWN');
  });

  test('a waiver admits and is kept with the decision and all of its reasons', () => {
    const admission = ask(silentKernel, 'sev-upm', { waiver: true });
    assert.ok(admission.kind === 'admitted');
    assert.equal(admission.decision.outcome, 'waived');
    assert.deepEqual(admission.decision.waiver, { by: 'ann', reason: 'a test' });
    assert.ok(admission.decision.reasons.some((reason) => reason.outcome === 'unmet'));
  });
});

describe('probation', () => {
  test('admits a guest that is known not to report, with the pinned type of its technique to fall back on', () => {
    const admission = ask(silentKernel, 'sev-upm', { probation: true });
    assert.deepEqual(admission.kind === 'admitted' && admission.probation, { fallback: 'sev' });
  });

  test('does not admit a guest that reports wrongly: it would pass, and lose data', () => {
    const admission = ask(wrongKernel, 'sev-upm', { probation: true });
    assert.ok(admission.kind === 'refused');
    assert.equal(admission.error.code, 'ADMISSION_REFUSED');
    assert.doesNotMatch(admission.error.parts.next ?? '', /--probation/);
  });

  test('does not admit what could not even have the fallback', () => {
    const admission = ask(unreadKernel, 'sev-upm', { probation: true });
    assert.equal(admission.kind === 'refused' && admission.error.code, 'ADMISSION_UNKNOWN');
  });

  test('is refused, as a slip of the request, for every type that has nothing to fall back on', () => {
    for (const type of vmTypes().filter((each) => each.tech !== 'sev' && each.tech !== 'sev-es')) {
      const admission = ask(rightKernel, type.id, { probation: true });
      assert.equal(admission.kind === 'refused' && admission.error.code, 'REQUEST_INVALID', type.id);
    }
  });
});
