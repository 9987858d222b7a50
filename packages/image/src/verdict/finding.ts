import type { Evidence, Finding } from '@unpin/policy';

type MaybeEvidence = Evidence | undefined;

/** Finds signals that were seen among those that were looked for. */
export function seen(...signals: readonly MaybeEvidence[]): Evidence[] {
  return signals.filter((signal) => signal !== undefined);
}

export function proven(answer: 'yes' | 'no', summary: string, ...evidence: readonly MaybeEvidence[]): Finding {
  return { answer, level: 'proven', summary, evidence: seen(...evidence) };
}

export function inferred(answer: 'yes' | 'no', summary: string, ...evidence: readonly MaybeEvidence[]): Finding {
  return { answer, level: 'inferred', summary, evidence: seen(...evidence) };
}

export function unknown(summary: string, ...evidence: readonly MaybeEvidence[]): Finding {
  return { answer: 'unknown', level: 'unknown', summary, evidence: seen(...evidence) };
}
