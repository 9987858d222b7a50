import { type Static, Type } from '../schema.ts';

/** One record of the audit log. Records are written in the transaction that they tell of, and never changed. */
export const AuditRecord = Type.Object({
  seq: Type.Number(),
  at: Type.String(),
  /** `local` for whoever speaks over loopback, `host:NAME` for an agent, `unpin` for the control plane itself. */
  actor: Type.String(),
  /** e.g. `vm.create`, `image.verdict`. */
  action: Type.String(),
  subject: Type.String(),
  outcome: Type.Enum(['done', 'refused']),
  /** e.g. the whole decision of an admission. */
  detail: Type.Optional(Type.Unknown()),
});
export type AuditRecord = Static<typeof AuditRecord>;

/** One step of the change log: something is not as it was before this revision. */
export const Change = Type.Object({
  revision: Type.Number(),
  at: Type.String(),
  kind: Type.Enum(['image', 'vm', 'host']),
  name: Type.String(),
  action: Type.Enum(['added', 'changed', 'deleted']),
});
export type Change = Static<typeof Change>;
