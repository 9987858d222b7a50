import { styleText } from 'node:util';
import { type Finding, isObserved, STATEMENTS, type Verdict } from '@unpin/policy';
import { table } from './table.ts';
import { bytes } from './units.ts';

/** A verdict for people: what boots, then each statement with its answer, level and reason. */
export function verdictText(verdict: Verdict, evidence: boolean): string {
  const { bootSet, kernel } = verdict;
  const head = [
    `${styleText('bold', bootSet.kernel.name)}  ${bytes(bootSet.kernel.bytes)}  sha256 ${bootSet.kernel.sha256.slice(0, 16)}…`,
    `${kernel.container}, payload ${kernel.payload}`,
    ...(kernel.banner === undefined ? [] : [kernel.banner]),
    ...(bootSet.commandLine === undefined ? [] : [`command line: ${bootSet.commandLine}`]),
    '',
  ];
  const rows = STATEMENTS.map(({ id, says }) => {
    const finding = verdict.statements[id];
    return [mark(finding), id, levelOf(finding), finding.summary === '' ? says : finding.summary];
  });
  const body = evidence
    ? STATEMENTS.flatMap(({ id }, i) => [
        table([rows[i] ?? []]),
        ...verdict.statements[id].evidence.map(
          (e) =>
            `      ${styleText('dim', e.signal)}  ${e.where}${e.offset === undefined ? '' : ` +0x${e.offset.toString(16)}`}: ${e.seen}`,
        ),
      ]).join('\n')
    : table(rows);
  const obstacles = verdict.obstacles.map((o) => `${styleText('yellow', 'obstacle')}  ${o}`);
  return [...head, body, ...(obstacles.length === 0 ? [] : ['', ...obstacles])].join('\n');
}

/** A level, and that a run has shown the same. */
function levelOf(finding: Finding): string {
  return finding.level !== 'observed' && isObserved(finding) ? `${finding.level}, observed` : finding.level;
}

/** yes, no or ? in its colour. */
export function mark(finding: Finding): string {
  switch (finding.answer) {
    case 'yes':
      return styleText('green', 'yes');
    case 'no':
      return styleText('red', 'no ');
    case 'unknown':
      return styleText('yellow', '?  ');
  }
}
