import { styleText } from 'node:util';
import type { VmReport } from '@unpin/contract';
import { table } from './table.ts';
import { bytes, durationOrDash as time } from './units.ts';

/** One column a VM, one row a figure. All of them measured; none computed from the nominal size. */
export function comparisonText(reports: readonly VmReport[]): string {
  const row = (label: string, cell: (r: VmReport) => string): string[] => [label, ...reports.map(cell)];
  return table([
    row('', (r) => styleText('bold', r.type)),
    row('run by', (r) => (r.mark === '' ? r.execution : styleText('yellow', r.mark))),
    row('pinning', (r) => r.regime.pinning),
    row('start to first instruction', (r) => time(r.figures.startMs)),
    row('start to last line', (r) => time(r.figures.lastLineMs)),
    row('nominal memory', (r) => bytes(r.figures.nominal)),
    row('resident', (r) => bytes(r.figures.resident)),
    row('private', (r) => `${bytes(r.figures.private)} (${r.privateMemory})`),
    row('shared', (r) => bytes(r.figures.shared)),
    row('pinned', (r) => bytes(r.figures.pinned)),
    row('unmovable', (r) => bytes(r.figures.unmovable)),
    row('conversions', (r) => String(r.figures.conversions)),
    row('lies', (r) => String(r.lies)),
  ]);
}
