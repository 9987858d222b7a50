import { type DesiredState, UnpinError, type VmStatus } from '@unpin/contract';
import type { Observed } from './observe.ts';
import type { ProcessId } from './processes.ts';

export type Step =
  | { readonly do: 'start' }
  | { readonly do: 'watch'; readonly process: ProcessId }
  | { readonly do: 'stop'; readonly process: ProcessId }
  /** Nothing is left to do but to say so. */
  | { readonly do: 'report'; readonly status: VmStatus };

/** What to do for a VM, from what is wanted and what is there. Pure; a VM is started at most once in its life. */
export function nextStep(name: string, uid: string, desired: DesiredState, observed: Observed): Step {
  switch (observed.kind) {
    case 'none':
      return desired === 'running' ? { do: 'start' } : report({ uid, state: 'ended', ending: NEVER_STARTED });
    case 'refused':
      return report({ uid, state: 'failed', error: observed.error });
    case 'running':
      return { do: desired === 'running' ? 'watch' : 'stop', process: observed.process };
    case 'gone':
      return report(endOf(name, uid, observed));
  }
}

const NEVER_STARTED = { reason: 'stopped', detail: 'before it was started' };

function endOf(name: string, uid: string, { last, words }: Extract<Observed, { kind: 'gone' }>): VmStatus {
  if (last === undefined) return { uid, state: 'failed', error: vmmDied(name, words).toBody() };
  const { ending, figures, report: whole, error } = last;
  return {
    uid,
    state: error === undefined ? 'ended' : 'failed',
    ...(ending === undefined ? {} : { ending }),
    ...(figures === undefined ? {} : { figures }),
    ...(whole === undefined ? {} : { report: whole }),
    ...(error === undefined ? {} : { error }),
  };
}

function vmmDied(name: string, words: string): UnpinError {
  return new UnpinError('VMM_DIED', {
    subject: `VM ${name}`,
    found: words === '' ? 'no last words' : words,
    next: `unpin vm delete ${name}, then create it again`,
  });
}

function report(status: VmStatus): Step {
  return { do: 'report', status };
}
