import type { Explanation, NovaExplanation } from '@unpin/policy';
import { type Static, Type } from '../schema.ts';
import { Name } from './image.ts';
import { Answer, Evidence, Level, StatementId, VerdictMessage, VmTypeId, WaiverMessage } from './policy.ts';

/** Exactly one of `image` and `verdict`: a judged image by name, or what an inspection elsewhere found. */
export const AdmitRequest = Type.Object({
  image: Type.Optional(Name),
  verdict: Type.Optional(VerdictMessage),
  type: Type.String({ minLength: 1 }),
  waiver: Type.Optional(WaiverMessage),
  /** Whether to keep a record of the answer in the audit log; nothing else is ever stored. */
  audit: Type.Optional(Type.Boolean()),
});
export type AdmitRequest = Static<typeof AdmitRequest>;

const Outcome = Type.Enum(['may', 'may-not', 'unknown', 'waived']);

export const AdmissionReasonMessage = Type.Object({
  code: Type.String({ description: 'stable: a need and how it fares, or one of docs/admission.md' }),
  outcome: Type.Enum(['met', 'unmet', 'unproven']),
  need: Type.Optional(StatementId),
  asked: Type.Optional(Type.Enum(['proven', 'inferred'])),
  says: Type.String({ description: 'what is asked' }),
  found: Type.Object({ answer: Answer, level: Level, summary: Type.String() }),
  evidence: Type.Array(Evidence),
  why: Type.String(),
  remedy: Type.String(),
  exception: Type.Optional(Type.String({ description: "of Nova's own rules: the exception that Nova raises" })),
});
export type AdmissionReasonMessage = Static<typeof AdmissionReasonMessage>;

const Carrots = Type.Array(Type.Object({ type: VmTypeId, gains: Type.Array(Type.String()) }));

/** Whether an image may have a VM type, with all reasons at once. Nothing was created. */
export const AdmitAnswer = Type.Object({
  type: VmTypeId,
  outcome: Outcome,
  image: Type.Optional(Name),
  /** Digest of the boot set that the verdict is on. */
  bootSet: Type.Optional(Type.String()),
  reasons: Type.Array(AdmissionReasonMessage),
  alternatives: Type.Array(VmTypeId),
  carrots: Carrots,
  /** Where a start on probation would be a way: the pinned type that it falls back on. */
  probation: Type.Optional(Type.Object({ fallback: VmTypeId })),
  waiver: Type.Optional(WaiverMessage),
});
export type AdmitAnswer = Static<typeof AdmitAnswer>;

/** Values of image properties and extra specs: what is no plain value counts as not set. */
const Properties = Type.Record(Type.String(), Type.Unknown());

/** What Nova knows of an instance to be. */
export const NovaAdmitRequest = Type.Object({
  image: Type.Object({
    id: Type.Optional(Type.String({ maxLength: 255 })),
    name: Type.Optional(Type.String({ maxLength: 255 })),
    properties: Properties,
  }),
  flavor: Type.Object({ name: Type.Optional(Type.String({ maxLength: 255 })), extra_specs: Properties }),
  /** In place of the verdict on the image that its id or name leads to. */
  verdict: Type.Optional(VerdictMessage),
});
export type NovaAdmitRequest = Static<typeof NovaAdmitRequest>;

export const NovaAdmitAnswer = Type.Object({
  /** What the caller shall do: `outcome` under the operator's choice for what is not known. */
  allowed: Type.Boolean(),
  outcome: Type.Enum(['may', 'may-not', 'unknown', 'waived', 'untouched']),
  /** The memory encryption model that flavor and image come to. */
  model: Type.Optional(Type.String()),
  type: Type.Optional(VmTypeId),
  /** unpin's image that was decided on. */
  image: Type.Optional(Type.String()),
  requesters: Type.Array(Type.String()),
  locked: Type.Boolean({ description: "whether Nova locks all of the guest's memory" }),
  reasons: Type.Array(AdmissionReasonMessage),
  alternatives: Type.Array(VmTypeId),
  carrots: Carrots,
  warnings: Type.Array(Type.String()),
  waiver: Type.Optional(WaiverMessage),
});
export type NovaAdmitAnswer = Static<typeof NovaAdmitAnswer>;

/**
 * `admission.k8s.io/v1` AdmissionReview as far as an answer needs it. What the request holds is read, and its faults are
 * answered, by the webhook itself: only a review without a uid can't be answered at all.
 */
export const AdmissionReview = Type.Object({
  apiVersion: Type.Literal('admission.k8s.io/v1'),
  kind: Type.Literal('AdmissionReview'),
  request: Type.Object({ uid: Type.String({ minLength: 1, maxLength: 256 }) }),
});
export type AdmissionReview = Static<typeof AdmissionReview>;

export const AdmissionReviewAnswer = Type.Object({
  apiVersion: Type.Literal('admission.k8s.io/v1'),
  kind: Type.Literal('AdmissionReview'),
  response: Type.Object({
    uid: Type.String(),
    allowed: Type.Boolean(),
    status: Type.Optional(Type.Object({ code: Type.Integer(), message: Type.String(), reason: Type.String() })),
    warnings: Type.Optional(Type.Array(Type.String())),
    auditAnnotations: Type.Optional(Type.Record(Type.String(), Type.String())),
  }),
});
export type AdmissionReviewAnswer = Static<typeof AdmissionReviewAnswer>;

type Same<A, B> = [A] extends [B] ? true : false;
/** Compile-time proof that what policy explains fits the messages. */
export const satisfiesExplanations: [
  Same<Pick<AdmitAnswer, keyof Explanation>, Explanation>,
  Same<Pick<NovaAdmitAnswer, keyof NovaExplanation>, Omit<NovaExplanation, 'reasons'>>,
] = [true, true];
