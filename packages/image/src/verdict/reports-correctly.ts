import type { Finding } from '@unpin/policy';
import { findRangeCall } from '../signals/range-call.ts';
import { findRangePrototype } from '../signals/range-prototype.ts';
import type { SignalInput } from '../signals/signal.ts';
import { inferred, proven, unknown } from './finding.ts';
import type { ReportsConversions } from './reports-conversions.ts';

/**
 * Whether the ranges that it reports are right: Linux 5.16 to 6.5 without the fix of CVE-2023-53996 rounds unaligned
 * ranges up and reports pages as shared that are not.
 */
export function judgeReportsCorrectly(input: SignalInput, { finding, hook }: ReportsConversions): Finding {
  if (finding.answer === 'unknown') return unknown('it is unknown whether it reports at all');
  if (finding.answer === 'no') return { ...finding, summary: 'does not report at all' };

  const prototype = findRangePrototype(input);
  if (prototype?.fixed === false)
    return proven(
      'no',
      'lacks the fix of CVE-2023-53996: it counts pages where it should pass a size',
      prototype.evidence,
    );
  const call = hook && findRangeCall(input, hook);
  if (prototype !== undefined) {
    if (call?.fixed === false)
      return unknown('its type information and its code contradict each other', prototype.evidence, call.evidence);
    const level = finding.level === 'proven' ? proven : inferred;
    return level('yes', 'has the fix of CVE-2023-53996', prototype.evidence, call?.evidence);
  }
  if (call === undefined) return unknown('neither type information nor a known form of the call tells');
  return call.fixed
    ? inferred('yes', 'passes a size, as the fix of CVE-2023-53996 does', call.evidence)
    : inferred('no', 'passes a count of pages, as before the fix of CVE-2023-53996', call.evidence);
}
