import { UnpinError } from '@unpin/contract';
import {
  type Decision,
  decide,
  probationFor,
  STATEMENTS,
  type Verdict,
  type VmType,
  type VmTypeId,
  type Waiver,
} from '@unpin/policy';

export interface AdmissionRequest {
  readonly image: string;
  readonly verdict: Verdict;
  readonly type: VmType;
  readonly waiver: Waiver | undefined;
  readonly probation: boolean;
}

export type Admission =
  | {
      readonly kind: 'admitted';
      readonly decision: Decision;
      readonly probation: { readonly fallback: VmTypeId } | undefined;
    }
  | { readonly kind: 'refused'; readonly error: UnpinError };

/** Whether a VM of an image may be created with a type. Pure. A refusal carries the whole decision as its detail. */
export function admit(request: AdmissionRequest): Admission {
  const { type, verdict, waiver } = request;
  const decision = decide(type, verdict, waiver);
  if (!request.probation)
    return decision.outcome === 'may' || decision.outcome === 'waived'
      ? { kind: 'admitted', decision, probation: undefined }
      : { kind: 'refused', error: refusal(request, decision) };

  const probation = probationFor(type, verdict, decision);
  switch (probation.kind) {
    case 'covered':
      return { kind: 'admitted', decision, probation: { fallback: probation.fallback } };
    case 'not-for-type':
      return {
        kind: 'refused',
        error: new UnpinError('REQUEST_INVALID', {
          subject: `probation on ${type.id}`,
          found: 'a type that has nothing to fall back on',
          needed: 'a type whose guests report conversions by hypercall and that has a pinned sibling',
          next: 'leave out --probation',
        }),
      };
    case 'not-covered':
      return { kind: 'refused', error: refusal(request, decision) };
  }
}

function refusal(request: AdmissionRequest, decision: Decision): UnpinError {
  const failing = decision.reasons.filter((reason) => reason.outcome !== 'met');
  return new UnpinError(decision.outcome === 'unknown' ? 'ADMISSION_UNKNOWN' : 'ADMISSION_REFUSED', {
    subject: `image ${request.image} as ${request.type.id}`,
    found: failing.map((reason) => `${reason.found.summary} (${reason.found.level})`).join('; '),
    needed: failing.map((reason) => `${says(reason.need)} (${reason.asked})`).join('; '),
    next: nextStep(request, decision),
    detail: decision,
  });
}

function says(statement: string): string {
  return STATEMENTS.find(({ id }) => id === statement)?.says ?? statement;
}

/** The type nearest to what was asked that this image may have, a trial where one can tell, and what would mend the image. */
function nextStep({ type, verdict, probation }: AdmissionRequest, decision: Decision): string {
  const trial = !probation && probationFor(type, verdict, decision).kind === 'covered';
  const nearest = decision.alternatives.find((id) => id === type.tech);
  const types = nearest === undefined ? decision.alternatives : [nearest];
  const remedies = [
    ...new Set(decision.reasons.filter(({ outcome }) => outcome !== 'met').map(({ remedy }) => remedy)),
  ];
  return [
    ...(types.length === 0 ? [] : [`use --type ${types.join(' or ')}`]),
    ...(trial ? ['start it with --probation'] : []),
    ...remedies,
  ].join('; or ');
}
