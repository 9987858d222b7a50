import { basename } from 'node:path';
import { styleText } from 'node:util';
import { STATEMENTS } from '@unpin/policy';
import type { Shown } from '../local/answer-inspections.ts';
import { claimsText } from './claims.ts';
import { table } from './table.ts';
import { duration } from './units.ts';
import { mark } from './verdict.ts';

/** Many images, one a line: each statement's answer, what boots, and what stood in the way. */
export function inspectionTable(shown: readonly Shown[]): string {
  const head = ['IMAGE', ...STATEMENTS.map(({ id }) => id), 'BOOTS', 'TIME', ''].map((text) => styleText('bold', text));
  return table([head, ...shown.flatMap(rowsOf)]);
}

function rowsOf(shown: Shown): string[][] {
  if ('error' in shown) {
    const { name, error } = shown;
    return [
      [
        basename(name),
        ...STATEMENTS.map(() => styleText('red', '–  ')),
        '',
        '',
        `${error.code}: ${error.parts.found ?? error.message}`,
      ],
    ];
  }
  const { name, verdict, decidedBy, decision, claims, entries, figures } = shown.document;
  const marks = STATEMENTS.map(({ id }) => mark(verdict.statements[id]));
  const boots =
    decidedBy === 'worst' ? `the worst of ${entries.filter(({ counts }) => counts).length}` : release(shown);
  const said = [
    ...(decision === undefined ? [] : [`${decision.type}: ${decision.outcome}`]),
    ...verdict.obstacles.slice(0, 1),
  ].join('; ');
  const row = [basename(name), ...marks, boots, duration(figures.milliseconds), said];
  return [
    row,
    ...(claims === undefined
      ? []
      : claimsText(claims)
          .split('\n')
          .map((line) => [`    ${line}`])),
  ];
}

function release({ document }: Extract<Shown, { document: unknown }>): string {
  return /^Linux version (\S+)/.exec(document.verdict.kernel.banner ?? '')?.[1] ?? '';
}
