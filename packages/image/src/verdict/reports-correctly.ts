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

  const level = finding.level === 'proven' ? proven : inferred;
  const prototype = findRangePrototype(input);
  const call = hook && findRangeCall(input, hook);
  const units = [call?.passes, call?.takes, prototype?.unit].filter((unit) => unit !== undefined);
  const evidence = [prototype?.evidence, ...(call?.evidence ?? [])];
  const [unit] = units;
  if (unit === undefined) return unknown('neither type information nor a known form of the call tells');
  // Where a function takes pages, whoever calls it passes pages, and the other way round.
  if (units.some((other) => other !== unit))
    return unknown('its type information and its code contradict each other', ...evidence);
  const isSure = prototype !== undefined || call?.takes !== undefined;
  if (unit === 'pages')
    return (isSure ? proven : inferred)(
      'no',
      'lacks the fix of CVE-2023-53996: it counts pages, not bytes',
      ...evidence,
    );
  return (isSure ? level : inferred)('yes', 'has the fix of CVE-2023-53996: it passes a size', ...evidence);
}
