import { styleText } from 'node:util';
import type { Conversion, Lie } from '@unpin/contract';
import { bytes } from './units.ts';

export function conversionLine(c: Conversion): string {
  const place = c.symbol === undefined ? c.rip : `${c.symbol} (${c.rip})`;
  return `${c.atMs.toFixed(1).padStart(9)} ms  ${hex(c.gpa)} ${bytes(c.bytes).padStart(8)} → ${c.to.padEnd(7)}  ${place}  changed ${bytes(c.changedBytes)}, gave back ${bytes(c.discardedBytes)}, ${c.microseconds.toFixed(0)} µs${c.ret === 0 ? '' : `, refused (${c.ret})`}`;
}

/** A lie in full: who did what to which page, and what SEV hardware would have done. */
export function lieText(lie: Lie): string {
  const who = lie.symbol === undefined ? `RIP ${lie.rip}` : `${lie.symbol} (RIP ${lie.rip})`;
  return [
    `${styleText('red', 'LIE')} ${what(lie)} at GPA ${hex(lie.gpa)}, ${lie.bytes} bytes, by ${who}`,
    `    on SEV hardware: ${lie.onHardware}`,
  ].join('\r\n');
}

function what(lie: Lie): string {
  switch (lie.kind) {
    case 'consumed-other-view':
      return `bytes consumed through the ${lie.view} view that were written through the other`;
    case 'consumed-discarded':
      return `bytes consumed through the ${lie.view} view after a wrong conversion threw them away`;
    case 'host-use':
      return `the host is asked to use a private page (${lie.hostUse ?? 'unknown use'})`;
  }
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
