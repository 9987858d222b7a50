import { styleText } from 'node:util';
import type { Decision, Reason } from '@unpin/policy';

/** A decision for people: the answer, every need with finding and evidence, what else it may have, and the remedy. */
export function decisionText(decision: Decision): string {
  const unmet = decision.reasons.filter((r) => r.outcome !== 'met');
  return [
    headline(decision),
    ...decision.reasons.flatMap(reasonLines),
    ...(decision.alternatives.length === 0
      ? []
      : ['', `${styleText('bold', 'it may have')}  ${decision.alternatives.join(', ')}`]),
    ...[...new Set(unmet.map((r) => r.remedy))].map((remedy) => `${styleText('bold', 'to qualify')}   ${remedy}`),
  ].join('\n');
}

function headline(decision: Decision): string {
  const type = styleText('bold', decision.type);
  switch (decision.outcome) {
    case 'may':
      return `${styleText('green', 'may run')} as ${type}`;
    case 'may-not':
      return `${styleText('red', 'may not run')} as ${type}`;
    case 'unknown':
      return `${styleText('yellow', 'not known')} whether it may run as ${type}`;
    case 'waived':
      return `${styleText('yellow', 'runs on a waiver')} as ${type} (${decision.waiver?.by ?? ''}: ${decision.waiver?.reason ?? ''})`;
  }
}

function reasonLines(reason: Reason): string[] {
  const sign = reason.outcome === 'met' ? styleText('green', '✓') : styleText('red', '✗');
  const lines = [
    `  ${sign} needs ${reason.need} (${reason.asked}); found ${reason.found.answer} (${reason.found.level}): ${reason.found.summary}`,
  ];
  if (reason.outcome !== 'met') lines.push(`      why it matters: ${reason.why}`);
  for (const e of reason.outcome === 'met' ? [] : reason.evidence)
    lines.push(`      evidence: ${e.signal} in ${e.where}: ${e.seen}`);
  return lines;
}
