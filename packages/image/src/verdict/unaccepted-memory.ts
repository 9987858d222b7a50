import type { Finding } from '@unpin/policy';
import { findEagerAcceptance } from '../signals/eager-acceptance.ts';
import { findKernelParameter } from '../signals/kernel-parameter.ts';
import type { SignalInput } from '../signals/signal.ts';
import { findUnacceptedTable } from '../signals/unaccepted-table.ts';
import { proven } from './finding.ts';
import { judgeGuestSupport } from './guest-support.ts';

/**
 * Whether memory that the firmware left unaccepted is accepted as it is first used (Linux 6.5 and later): then a guest's
 * start costs what it touches, not what it has. A kernel without it finds no such memory: its firmware accepts all.
 */
export function judgeUnacceptedMemory(input: SignalInput): Finding {
  const finding = judgeGuestSupport(input, {
    name: 'lazy acceptance of memory',
    code: [findUnacceptedTable(input)],
    agrees: [findKernelParameter(input, 'accept_memory')],
    symbols: ['accept_memory'],
  });
  const eager = findEagerAcceptance(input);
  if (eager === undefined || finding.answer !== 'yes') return finding;
  return proven('no', 'its command line asks for all memory to be accepted at once', eager, ...finding.evidence);
}
