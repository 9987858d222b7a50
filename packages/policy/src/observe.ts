import { type Evidence, type Finding, isAtLeast, type StatementId, type Verdict } from './verdict.ts';

/** What one run of a boot set showed of a statement. */
export interface Observation {
  readonly statement: StatementId;
  readonly answer: 'yes' | 'no';
  /** One line for people: why this answer. */
  readonly summary: string;
  /** The run: how far it went, and what was seen in it. */
  readonly evidence: Evidence;
}

/** Signal of the evidence that a run leaves. */
export const RUN_IN_LOCKSTEP = 'run-in-lockstep';
/** Signal of the evidence that a single run as an SEV guest leaves. */
export const RUN_AS_SEV = 'run-as-sev';
const RUNS: ReadonlySet<string> = new Set([RUN_IN_LOCKSTEP, RUN_AS_SEV]);

/** Whether a run has shown what a finding says, also where its level is a surer one. Pure. */
export function isObserved({ level, evidence }: Finding): boolean {
  return level === 'observed' || evidence.some(({ signal }) => RUNS.has(signal));
}

/**
 * A verdict with what a run has shown. A run adds its evidence to what was known already, and its answer where that is
 * surer than what was known, or where it is a `no`: one counter-example outweighs any reading of the code. A `no` that is
 * known stays: what goes well once is no argument against it. Pure.
 */
export function observed(verdict: Verdict, observations: readonly Observation[]): Verdict {
  const statements = { ...verdict.statements };
  for (const observation of observations) {
    const { statement } = observation;
    statements[statement] = withObservation(statements[statement], observation);
  }
  return { ...verdict, statements };
}

function withObservation(finding: Finding, { answer, summary, evidence }: Observation): Finding {
  const all = [...finding.evidence, evidence];
  const contradicts = answer === 'no' && finding.answer !== 'no';
  const isSurer = finding.answer !== 'no' && !isAtLeast(finding.level, 'observed');
  return contradicts || isSurer ? { answer, level: 'observed', summary, evidence: all } : { ...finding, evidence: all };
}
