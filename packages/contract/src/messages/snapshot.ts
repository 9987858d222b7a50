import { type Static, Type } from '../schema.ts';

/** Where a VM is saved to: a path on its machine. The file holds its memory and its keys. */
export const TakeSnapshot = Type.Object({
  path: Type.String({ minLength: 1, maxLength: 4096 }),
  /** The VM ends once it is saved; else it goes on. */
  stop: Type.Optional(Type.Boolean()),
});
export type TakeSnapshot = Static<typeof TakeSnapshot>;

export const SnapshotDone = Type.Object({
  path: Type.String(),
  /** Of the file. */
  bytes: Type.Number({ minimum: 0 }),
  /** How long the guest stood still. */
  milliseconds: Type.Number({ minimum: 0 }),
});
export type SnapshotDone = Static<typeof SnapshotDone>;
