import type { ByteSource } from '../../src/source/byte-source.ts';
import type { Draft } from './draft.ts';
import type { Random } from './random.ts';

/** One format's way of being hostile. */
export interface HostileFormat {
  readonly name: string;
  /** Whole and true files to begin with, made by the format's own tools. */
  seeds(): readonly Uint8Array[];
  /** Makes a draft of a seed hostile. */
  change(draft: Draft, random: Random): void;
  /**
   * Reads it in every way that an inspection may, and says what came of it: kinds of errors, or `whole`. Throws nothing
   * but FormatError.
   */
  read(source: ByteSource): Promise<Iterable<string>>;
}
