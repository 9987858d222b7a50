import { type Decision, decide, type Reason } from './decide.ts';
import type { Verdict } from './verdict.ts';
import type { VmType, VmTypeId } from './vm-type.ts';
import { vmTypes } from './vm-types.ts';

export type Probation =
  | { readonly kind: 'covered'; readonly fallback: VmTypeId }
  /** The type does not live by reports, or there is no pinned type to fall back on. */
  | { readonly kind: 'not-for-type' }
  /** A need stays open that probation cannot show, or the fallback's own needs do. */
  | { readonly kind: 'not-covered' };

/**
 * Whether probation may stand in for what a verdict leaves open. A VM on probation starts unpinned; a guest that never
 * reports is stopped before any I/O and started again with the pinned type of the same technique. So probation shows
 * whether a guest reports. It cannot show that the reports are right: that need stays, unless the guest is known not
 * to report at all, for who says nothing says nothing wrong. Pure.
 */
export function probationFor(type: VmType, verdict: Verdict, decision: Decision): Probation {
  const fallback = pinnedFallback(type);
  if (fallback === undefined) return { kind: 'not-for-type' };
  if (decide(fallback, verdict).outcome !== 'may') return { kind: 'not-covered' };
  const silent = verdict.statements['reports-conversions'].answer === 'no';
  const open = decision.reasons.filter((reason) => reason.outcome !== 'met' && !shown(reason, silent));
  return open.length === 0 || decision.outcome === 'waived'
    ? { kind: 'covered', fallback: fallback.id }
    : { kind: 'not-covered' };
}

function shown(reason: Reason, silent: boolean): boolean {
  return reason.need === 'reports-conversions' || (reason.need === 'reports-correctly' && silent);
}

/** The pinned type of the same technique, for a type that lives by the guest's reports; else undefined. */
export function pinnedFallback(type: VmType): VmType | undefined {
  if (type.conversions !== 'hypercall') return undefined;
  return vmTypes().find((other) => other.tech === type.tech && other.pinning === 'upfront');
}
