import { type Finding, isAtLeast, STATEMENTS, type StatementId } from '@unpin/policy';
import type { Statements } from '../verdict/judge-kernel.ts';

/** What one start can do, and what it is called. */
export interface JudgedStart {
  readonly title: string;
  readonly statements: Statements;
}

/**
 * What can be said of an image of which it isn't known which of several starts it will be: of each statement the worst
 * answer (no before unknown before yes), at the weakest level that any start gives that answer with. The evidence is that
 * of the starts that decide, each piece with its start's name. Pure.
 */
export function worstOf(starts: readonly [JudgedStart, ...JudgedStart[]]): Statements {
  const [first] = starts;
  if (starts.length === 1) return first.statements;
  const combined = STATEMENTS.map(({ id }) => [id, worstFinding(starts, id)] as const);
  return Object.fromEntries(combined) as unknown as Statements;
}

const ORDER: readonly Finding['answer'][] = ['no', 'unknown', 'yes'];

function worstFinding(starts: readonly JudgedStart[], id: StatementId): Finding {
  const all = starts.map(({ title, statements }) => ({ title, finding: statements[id] }));
  const answer = ORDER.find((each) => all.some(({ finding }) => finding.answer === each)) ?? 'unknown';
  const deciding = all.filter(({ finding }) => finding.answer === answer);
  const weakest = deciding.reduce((found, each) => (isAtLeast(each.finding.level, found.finding.level) ? found : each));
  const reasons = new Set(deciding.map(({ finding }) => finding.summary));
  const whose =
    deciding.length === all.length ? `each of ${all.length} starts` : deciding.map(({ title }) => title).join(', ');
  return {
    answer,
    level: weakest.finding.level,
    summary: `${[...reasons].join('; ')} (${whose})`,
    evidence: deciding.flatMap(({ title, finding }) =>
      finding.evidence.map((piece) => ({ ...piece, where: `${title}: ${piece.where}` })),
    ),
  };
}
