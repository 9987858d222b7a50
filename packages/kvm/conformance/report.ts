import type { BackendInfo } from '../src/port/kvm.ts';
import type { Outcome, OutcomeStatus } from './outcome.ts';

/** What a KVM answered to the whole suite. */
export interface Report {
  readonly backend: BackendInfo;
  readonly outcomes: readonly Outcome[];
}

/** Exit codes of a suite run. */
export const EXIT_PASSED = 0;
export const EXIT_FAILED = 1;
/** There was no KVM to ask. */
export const EXIT_UNAVAILABLE = 2;

export function exitCodeOf(report: Report): number {
  return report.outcomes.some(({ status }) => status === 'failed') ? EXIT_FAILED : EXIT_PASSED;
}

export function countsOf(report: Report): Readonly<Record<OutcomeStatus, number>> {
  const counts = { passed: 0, failed: 0, 'cannot-answer': 0, 'not-applicable': 0 };
  for (const { status } of report.outcomes) counts[status] += 1;
  return counts;
}

/** One line for one outcome; nothing is cut. */
export function outcomeInWords(outcome: Outcome): string {
  switch (outcome.status) {
    case 'passed':
      return `ok      ${outcome.id}`;
    case 'failed':
      return `FAILED  ${outcome.id}: ${outcome.what}: expected ${outcome.expected}, found ${outcome.found}`;
    case 'cannot-answer':
      return `no say  ${outcome.id}: needs ${outcome.need}: ${outcome.reason}`;
    case 'not-applicable':
      return `not now ${outcome.id}: ${outcome.reason}`;
  }
}

/** The report as a person reads it: what passed as a number, all else by name. */
export function reportInWords(report: Report): string {
  const { backend, kernel, engine } = report.backend;
  const counts = countsOf(report);
  const rest = report.outcomes.filter(({ status }) => status !== 'passed').map(outcomeInWords);
  const total = report.outcomes.length;
  return [
    `KVM: ${backend}, kernel ${kernel}, engine ${engine}`,
    ...rest,
    `${total} rules: ${counts.passed} passed, ${counts.failed} failed, ${counts['cannot-answer']} cannot be answered here, ` +
      `${counts['not-applicable']} not promised by this kernel`,
  ].join('\n');
}

export function reportAsJson(report: Report): string {
  return JSON.stringify({ ...report, counts: countsOf(report) }, undefined, 2);
}
