import { styleText } from 'node:util';
import type { VmReport } from '@unpin/contract';
import type { RunResult } from '../local/run-locally.ts';
import { table } from './table.ts';
import { bytes, durationOrDash as time } from './units.ts';

/** How the guest ended, in one line; with figures, all of them. */
export function runSummary({ report, lies }: RunResult, figures: boolean): string {
  const mark = report.mark === '' ? '' : ` ${styleText('yellow', report.mark)}`;
  const head = `${styleText('bold', report.type)}${mark}  ${report.ending?.reason ?? 'ended without a word'}${report.ending?.detail === undefined ? '' : `: ${report.ending.detail}`}`;
  const extra = [
    ...(report.probation === undefined ? [] : [`probation: ${report.probation}`]),
    ...(lies.length === 0 ? [] : [styleText('red', `${lies.length} ${lies.length === 1 ? 'lie' : 'lies'}`)]),
  ];
  return [[head, ...extra].join('  ·  '), ...(figures ? [figuresText(report)] : [])].join('\n');
}

/** All figures of one VM, for people. */
export function figuresText(report: VmReport): string {
  const f = report.figures;
  return table(
    [
      ['start to first instruction', time(f.startMs)],
      ['start to last line', time(f.lastLineMs)],
      ['pinning', time(f.pinMs)],
      ['nominal', bytes(f.nominal)],
      ['resident', bytes(f.resident)],
      ['private', `${bytes(f.private)} (${report.privateMemory})`],
      ['shared', bytes(f.shared)],
      ['pinned', bytes(f.pinned)],
      ['unmovable', bytes(f.unmovable)],
      ['conversions', String(f.conversions)],
      ['wrong-view accesses', String(report.wrongViewAccesses)],
      ...(report.saturatedPages === undefined
        ? []
        : [['no longer watched', `${report.saturatedPages} pages that changed views too often`]]),
      [
        'exits',
        Object.entries(f.exits)
          .map(([kind, n]) => `${kind} ${n}`)
          .join(', '),
      ],
    ].map(([label = '', value = '']) => [`  ${label}`, value]),
  );
}
