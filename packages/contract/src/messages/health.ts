import { type Static, Type } from '../schema.ts';

export const Health = Type.Object({
  version: Type.String(),
  contract: Type.Number(),
  pid: Type.Number(),
  /** The change log's head. */
  revision: Type.Number(),
  database: Type.Object({
    path: Type.String(),
    /** `read-only`: the last write found the disk or quota full; reads go on, and writes as soon as there is room. */
    state: Type.Enum(['ok', 'read-only']),
    problem: Type.Optional(Type.String()),
  }),
});
export type Health = Static<typeof Health>;
