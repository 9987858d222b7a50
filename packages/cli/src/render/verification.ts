import { styleText } from 'node:util';
import type { Verdict } from '@unpin/policy';
import type { Comparison, Run } from '../local/verify/compare-run.ts';
import { table } from './table.ts';
import { bytes } from './units.ts';

const OUTCOMES: Readonly<Record<Comparison['outcome'], string>> = {
  agrees: styleText('green', 'agrees'),
  contradicts: styleText('red', 'contradicts'),
  new: styleText('yellow', 'was not known'),
  untold: styleText('yellow', 'cannot tell'),
};

/** A run beside the verdict, for people. */
export function verificationText(
  image: string,
  { report, lies, conversions, milestones }: Run,
  comparisons: readonly Comparison[],
  { bootSet, kernel }: Verdict,
): string {
  const mark = report.mark === '' ? '' : ` ${styleText('yellow', report.mark)}`;
  const rows = comparisons.map(({ statement, said, did, outcome, why }) => [
    statement,
    `read: ${said}`,
    `did: ${did === 'untold' ? '–' : did}`,
    OUTCOMES[outcome],
    why,
  ]);
  const [first] = conversions;
  return [
    `${styleText('bold', image)}  as ${report.type}${mark}`,
    ...(kernel.banner === undefined ? [] : [kernel.banner]),
    `kernel ${bootSet.kernel.name}${bootSet.commandLine === undefined ? '' : `\ncommand line: ${bootSet.commandLine}`}`,
    '',
    `came as far as  ${milestones.stage}${milestones.end === undefined ? '' : `: ${endText(milestones.end)}`}`,
    `ended by        ${report.ending?.reason ?? 'itself'}${report.ending?.detail === undefined ? '' : `: ${report.ending.detail}`}`,
    `reported        ${report.figures.conversions} conversions${first === undefined ? '' : `, the first of ${bytes(first.bytes)} to ${first.to} at ${first.symbol ?? first.rip}`}`,
    `wrong views     ${report.wrongViewAccesses} accesses, ${lies.length} with a consequence`,
    ...lies.slice(0, 3).map(({ kind, gpa, symbol, rip, onHardware }) => {
      return `                ${kind} of GPA 0x${gpa.toString(16)} at ${symbol ?? rip}: ${onHardware}`;
    }),
    `last line       ${milestones.lastLine}`,
    '',
    table(rows),
  ].join('\n');
}

function endText({ kind, line }: NonNullable<Run['milestones']['end']>): string {
  return kind === 'no-root' ? `no root filesystem, as expected without its disk (${line})` : line;
}
