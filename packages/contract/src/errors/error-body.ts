import { type Static, Type } from '../schema.ts';

/** An error as it travels: code, what it is about, what was found, what was needed, what to do next. */
export const ErrorBody = Type.Object({
  code: Type.String(),
  message: Type.String(),
  subject: Type.String(),
  found: Type.Optional(Type.String()),
  needed: Type.Optional(Type.String()),
  next: Type.Optional(Type.String()),
  /** Machine-readable detail, e.g. an admission decision. */
  detail: Type.Optional(Type.Unknown()),
});
export type ErrorBody = Static<typeof ErrorBody>;
