import { type Evidence, isAtLeast, type Level, type StatementId, type Verdict } from './verdict.ts';
import type { Need, VmType, VmTypeId } from './vm-type.ts';
import { vmTypes } from './vm-types.ts';

/** Someone's word that a VM may start although its image does not meet the type's needs. */
export interface Waiver {
  readonly by: string;
  readonly reason: string;
}

/** How one need of a type fares against a verdict. */
export interface Reason {
  readonly need: StatementId;
  /** `unproven`: the answer is unknown, or its level is below what the need asks. */
  readonly outcome: 'met' | 'unmet' | 'unproven';
  readonly asked: Need['atLeast'];
  readonly found: { readonly answer: 'yes' | 'no' | 'unknown'; readonly level: Level; readonly summary: string };
  readonly evidence: readonly Evidence[];
  readonly why: string;
  readonly remedy: string;
}

export interface Decision {
  readonly type: VmTypeId;
  /** `may`: all needs met. `waived`: not all, and a waiver stands in. */
  readonly outcome: 'may' | 'may-not' | 'unknown' | 'waived';
  /** Every need of the type, met or not: all reasons at once. */
  readonly reasons: readonly Reason[];
  /** Types that this verdict may have. Empty needs are met by any verdict. */
  readonly alternatives: readonly VmTypeId[];
  readonly waiver?: Waiver;
}

/**
 * Whether a boot set may run on a VM type: needs × verdict → decision, with every reason. Pure.
 * `unmet` outweighs `unproven`: one proven lack decides. A waiver never hides the reasons.
 */
export function decide(type: VmType, verdict: Verdict, waiver?: Waiver): Decision {
  const reasons = type.needs.map((need) => judge(need, verdict));
  const bare = outcomeOf(reasons);
  const outcome = bare !== 'may' && waiver !== undefined ? 'waived' : bare;
  return {
    type: type.id,
    outcome,
    reasons,
    alternatives: alternativesFor(type, verdict),
    ...(outcome === 'waived' && waiver !== undefined ? { waiver } : {}),
  };
}

function judge(need: Need, verdict: Verdict): Reason {
  const finding = verdict.statements[need.statement];
  const strongEnough = isAtLeast(finding.level, need.atLeast);
  const outcome = finding.answer === 'no' ? 'unmet' : finding.answer === 'yes' && strongEnough ? 'met' : 'unproven';
  return {
    need: need.statement,
    outcome,
    asked: need.atLeast,
    found: { answer: finding.answer, level: finding.level, summary: finding.summary },
    evidence: finding.evidence,
    why: need.why,
    remedy: need.remedy,
  };
}

function outcomeOf(reasons: readonly Reason[]): 'may' | 'may-not' | 'unknown' {
  if (reasons.some((r) => r.outcome === 'unmet')) return 'may-not';
  if (reasons.some((r) => r.outcome === 'unproven')) return 'unknown';
  return 'may';
}

function alternativesFor(type: VmType, verdict: Verdict): readonly VmTypeId[] {
  return vmTypes()
    .filter((other) => other.id !== type.id && outcomeOf(other.needs.map((n) => judge(n, verdict))) === 'may')
    .map((other) => other.id);
}
