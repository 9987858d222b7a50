/**
 * What went wrong while an image or a part of it was read. Parsers of this room throw this and nothing else for bad
 * input; the edge of the room turns it into a verdict or a catalogue error.
 */
export type FormatErrorKind =
  /** Neither a bzImage nor an ELF file, or one that carries no Linux. */
  | 'not-a-kernel'
  /** A kernel for 32-bit x86. */
  | 'not-64-bit'
  /** A length or an offset leads past the end of what there is. */
  | 'truncated'
  /** A field, a checksum or a code that the format forbids. */
  | 'malformed'
  /** A structure leads back to itself: a directory below itself, a backing chain or links without end. */
  | 'cycle'
  /** A valid format or feature of it that is not implemented here. */
  | 'unsupported'
  /** Encrypted, and no key is at hand: LUKS, an encrypted qcow2, fscrypt. */
  | 'encrypted'
  /** It would take more bytes, steps or time than the caller allowed. */
  | 'over-budget'
  /** It leads to a file that was not named: a backing file outside, a link out of the image. */
  | 'escape'
  /** The medium failed: an I/O error, a server that doesn't answer. */
  | 'unreadable';

export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly kind: FormatErrorKind;
  /** What was being read, in the format's own words: 'xz block header', 'program header 3', 'qcow2 L2 table'. */
  readonly what: string;
  /** Where, in bytes from the start of what the structure lies in (the file, the partition, the payload). */
  readonly offset: number;

  constructor(kind: FormatErrorKind, what: string, offset: number, detail: string) {
    super(`${what} at byte ${offset}: ${detail}`);
    this.kind = kind;
    this.what = what;
    this.offset = offset;
  }
}
