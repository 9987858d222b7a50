import { styleText } from 'node:util';
import {
  type Evidence,
  FIRMWARE_STATEMENTS,
  type Finding,
  type FirmwareVerdict,
  isObserved,
  STATEMENTS,
  type Verdict,
} from '@unpin/policy';
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
  const body = findingsText(
    STATEMENTS.map(({ id, says }) => ({ id, says, finding: verdict.statements[id] })),
    evidence,
  );
  const obstacles = verdict.obstacles.map(obstacleLine);
  return [...head, body, ...(obstacles.length === 0 ? [] : ['', ...obstacles])].join('\n');
}

/** What firmware that was given can do. */
export function firmwareText(
  { name, sha256, bytes: size, statements, obstacles }: FirmwareVerdict,
  evidence: boolean,
): string {
  const head = `${styleText('bold', name)}  ${bytes(size)}  sha256 ${sha256.slice(0, 16)}…`;
  const rows = FIRMWARE_STATEMENTS.map(({ id, says }) => ({ id, says, finding: statements[id] }));
  return [head, findingsText(rows, evidence), ...obstacles.map(obstacleLine)].join('\n');
}

interface Row {
  readonly id: string;
  readonly says: string;
  readonly finding: Finding;
}

/** One a line: answer, name, level and reason; with evidence, each piece of it below. */
function findingsText(rows: readonly Row[], evidence: boolean): string {
  const lines = rows.map(({ id, says, finding }) => [
    mark(finding),
    id,
    levelOf(finding),
    finding.summary === '' ? says : finding.summary,
  ]);
  if (!evidence) return table(lines);
  return rows.flatMap(({ finding }, i) => [table([lines[i] ?? []]), ...finding.evidence.map(evidenceLine)]).join('\n');
}

function evidenceLine({ signal, where, offset, seen }: Evidence): string {
  return `      ${styleText('dim', signal)}  ${where}${offset === undefined ? '' : ` +0x${offset.toString(16)}`}: ${seen}`;
}

function obstacleLine(obstacle: string): string {
  return `${styleText('yellow', 'obstacle')}  ${obstacle}`;
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
