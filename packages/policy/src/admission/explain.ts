import { type Decision, decide, type Reason, type Waiver } from '../decide.ts';
import { probationFor } from '../probation.ts';
import { type Finding, STATEMENTS, type StatementId, type Verdict } from '../verdict.ts';
import type { VmType, VmTypeId } from '../vm-type.ts';
import { type Carrot, carrotsFor } from './carrot.ts';

/** One reason of an admission: a need of the type, or what stands beside the needs. */
export interface AdmissionReason {
  /** Stable: of a need `<statement>-<outcome>`, else one of docs/admission.md. */
  readonly code: string;
  readonly outcome: Reason['outcome'];
  /** Absent where the reason is no need of a VM type. */
  readonly need?: StatementId;
  readonly asked?: Reason['asked'];
  /** What is asked, for people. */
  readonly says: string;
  readonly found: Reason['found'];
  readonly evidence: Reason['evidence'];
  readonly why: string;
  readonly remedy: string;
}

/** What an admission comes to, with everything that a person or a program needs to go on. Nothing was created. */
export interface Explanation {
  readonly type: VmTypeId;
  readonly outcome: Decision['outcome'];
  /** Every reason, met or not. */
  readonly reasons: readonly AdmissionReason[];
  readonly alternatives: readonly VmTypeId[];
  /** What types that this image may have would give it beside the one that was asked for. */
  readonly carrots: readonly Carrot[];
  /** The pinned type that a start on probation would fall back on, where probation is a way. */
  readonly probation?: { readonly fallback: VmTypeId };
  readonly waiver?: Waiver;
}

/** A decision with stable codes and with what else is to be had. Pure. */
export function explain(type: VmType, verdict: Verdict, waiver?: Waiver): Explanation {
  const decision = decide(type, verdict, waiver);
  const probation = probationFor(type, verdict, decision);
  return {
    type: type.id,
    outcome: decision.outcome,
    reasons: decision.reasons.map(needReason),
    alternatives: decision.alternatives,
    carrots: carrotsFor(type, decision.alternatives),
    ...(decision.outcome !== 'may' && probation.kind === 'covered'
      ? { probation: { fallback: probation.fallback } }
      : {}),
    ...(decision.waiver === undefined ? {} : { waiver: decision.waiver }),
  };
}

function needReason(reason: Reason): AdmissionReason {
  const { need, outcome, asked, found, evidence, why, remedy } = reason;
  return { code: `${need}-${outcome}`, outcome, need, asked, says: saysOf(need), found, evidence, why, remedy };
}

/** The reason for a need that no VM type of the registry has: Intel TDX, which others run and unpin does not. */
export function statementReason(need: StatementId, finding: Finding, why: string, remedy: string): AdmissionReason {
  const outcome = finding.answer === 'no' ? 'unmet' : finding.answer === 'yes' ? 'met' : 'unproven';
  const { answer, level, summary, evidence } = finding;
  const found = { answer, level, summary };
  return { code: `${need}-${outcome}`, outcome, need, says: saysOf(need), found, evidence, why, remedy };
}

/** What the reasons of an admission come to: one that is unmet outweighs all that is unproven. Pure. */
export function outcomeOfReasons(reasons: readonly AdmissionReason[]): 'may' | 'may-not' | 'unknown' {
  if (reasons.some(({ outcome }) => outcome === 'unmet')) return 'may-not';
  return reasons.some(({ outcome }) => outcome === 'unproven') ? 'unknown' : 'may';
}

function saysOf(statement: StatementId): string {
  return STATEMENTS.find(({ id }) => id === statement)?.says ?? statement;
}
