import type { ImageVerdictDocument } from '@unpin/contract';
import type { UnpinError } from '@unpin/contract/errors';
import { type ImageAnswer, inspectionError } from '@unpin/image/confined';
import { type Decision, decide, type Verdict, type VmType, vmTypes } from '@unpin/policy';
import type { InspectOptions } from '../commands/image-inspect.ts';
import { requireVmType } from '../commands/vm-types.ts';
import { compareClaims, exitOfClaims } from '../formats/claims.ts';

/** One image's answer as it is shown: a document, or why there is none. */
export type Shown = { readonly document: ImageVerdictDocument } | { readonly name: string; readonly error: UnpinError };

type Asked = Pick<InspectOptions, 'check' | 'compareClaims'>;

/** The VM type that was asked for; undefined where none was. Throws VM_TYPE_UNKNOWN. */
export function askedType({ check }: Asked): VmType | undefined {
  return check === undefined ? undefined : requireVmType(check);
}

/** An answer with what is asked of it: the types that the image may have, a decision, its claims. */
export function shownOf(name: string, answer: ImageAnswer, type: VmType | undefined, options: Asked): Shown {
  const { inspection } = answer;
  if (inspection === undefined) return { name, error: answer.error };
  const error = inspectionError(inspection);
  if (error !== undefined) return { name, error };
  const { verdict } = inspection;
  return {
    document: {
      ...inspection,
      types: allowed(verdict),
      ...(type === undefined
        ? {}
        : { decision: decide(type, verdict) as NonNullable<ImageVerdictDocument['decision']> }),
      ...(options.compareClaims === undefined ? {} : { claims: [...compareClaims(verdict, options.compareClaims)] }),
    },
  };
}

/** The VM types that a verdict may have, may not have, and those of which it isn't known. */
export function allowed(verdict: Verdict): ImageVerdictDocument['types'] {
  const outcomes = vmTypes().map((type) => decide(type, verdict));
  const of = (outcome: Decision['outcome']) => outcomes.filter((d) => d.outcome === outcome).map((d) => d.type);
  return { may: of('may'), mayNot: of('may-not'), unknown: of('unknown') };
}

/** 0 may, 1 may not, 2 unknown. */
export function exitOf(decision: Decision): number {
  switch (decision.outcome) {
    case 'may':
    case 'waived':
      return 0;
    case 'may-not':
      return 1;
    case 'unknown':
      return 2;
  }
}

/**
 * Of many the worst: a no (1) before what is unknown (2). An image of which nothing could be said is unknown where
 * something was asked of it, else its error is the answer.
 */
export function exitOfAll(shown: readonly Shown[]): number {
  const asked = shown.some(
    (each) => 'document' in each && (each.document.decision ?? each.document.claims) !== undefined,
  );
  const codes = shown.map((each) => {
    if ('error' in each) return asked ? 2 : each.error.exitCode;
    const { decision, claims } = each.document;
    const answers = [decision === undefined ? 0 : exitOf(decision), claims === undefined ? 0 : exitOfClaims(claims)];
    return answers.includes(1) ? 1 : Math.max(...answers);
  });
  if (codes.includes(1)) return 1;
  return codes.find((code) => code !== 0) ?? 0;
}
