import type { Carrot } from '../admission/carrot.ts';
import {
  type AdmissionReason,
  type Explanation,
  explain,
  outcomeOfReasons,
  statementReason,
} from '../admission/explain.ts';
import type { Waiver } from '../decide.ts';
import type { Verdict } from '../verdict.ts';
import type { VmTypeId } from '../vm-type.ts';
import { vmType } from '../vm-types.ts';
import { judgeNova, type NovaReason, type NovaRequest } from './judge-nova.ts';
import { NOVA_ENCRYPTION } from './models.ts';

/** What Nova should hear of an instance: its own rules' complaints, then what the image's verdict says. */
export interface NovaExplanation {
  /** `untouched`: no encrypted memory is asked for, and nothing contradicts itself. */
  readonly outcome: Explanation['outcome'] | 'untouched';
  readonly model?: string;
  readonly type?: VmTypeId;
  readonly requesters: readonly string[];
  readonly locked: boolean;
  readonly reasons: readonly (AdmissionReason | NovaReason)[];
  readonly alternatives: readonly VmTypeId[];
  readonly carrots: readonly Carrot[];
  readonly warnings: readonly string[];
  readonly waiver?: Waiver;
}

/** The image's verdict, or the reason why there is none. */
export type NovaImage = { readonly verdict: Verdict; readonly waiver?: Waiver } | { readonly missing: AdmissionReason };

/** Types that Nova can run: what it is no use to promise more than. */
const NOVA_TYPES: ReadonlySet<string> = new Set(NOVA_ENCRYPTION.flatMap(({ type }) => type ?? []));

/** Whether an instance of a flavor and an image should be: Nova's rules and the image's verdict, all reasons at once. Pure. */
export function explainNova(request: NovaRequest, image: NovaImage): NovaExplanation {
  const judged = judgeNova(request);
  const { model, requesters, locked, warnings } = judged;
  const base = {
    requesters,
    locked,
    warnings,
    alternatives: [],
    carrots: [],
    reasons: judged.reasons,
    ...(model === undefined ? {} : { model: model.model }),
    ...(model?.type === undefined ? {} : { type: model.type }),
  };
  if (model === undefined) return { ...base, outcome: judged.reasons.length === 0 ? 'untouched' : 'may-not' };
  if ('missing' in image) return { ...base, ...withReasons(judged.reasons, [image.missing]) };
  if (model.type === undefined) return { ...base, ...withReasons(judged.reasons, [tdxReason(image.verdict)]) };
  const explained = explain(vmType(model.type), image.verdict, image.waiver);
  // A waiver speaks for the image's needs; Nova's own rules know none.
  const waived = explained.outcome === 'waived' && judged.reasons.length === 0;
  return {
    ...base,
    ...withReasons(judged.reasons, explained.reasons),
    ...(waived ? { outcome: 'waived' } : {}),
    alternatives: explained.alternatives.filter((id) => NOVA_TYPES.has(id)),
    carrots: explained.carrots.filter(({ type }) => NOVA_TYPES.has(type)),
    ...(explained.waiver === undefined ? {} : { waiver: explained.waiver }),
  };
}

function withReasons(nova: readonly NovaReason[], ours: readonly AdmissionReason[]) {
  const reasons = [...nova, ...ours];
  return { reasons, outcome: outcomeOfReasons(reasons) };
}

/** The reason for Intel TDX, which Nova and KubeVirt run and unpin has no VM type for. */
export function tdxReason(verdict: Verdict): AdmissionReason {
  return statementReason(
    'tdx-guest',
    verdict.statements['tdx-guest'],
    'a TDX guest must accept its memory and handle the virtualization exception, or it stops at its first CPUID',
    'use a kernel with TDX guest support (Linux 5.19 or later with CONFIG_INTEL_TDX_GUEST)',
  );
}
