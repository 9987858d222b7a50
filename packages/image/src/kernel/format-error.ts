/**
 * What went wrong while a kernel file was read. Parsers of this folder throw this and nothing else for bad input;
 * the edge of the room turns it into a verdict or a catalogue error.
 */
export type KernelErrorKind =
  /** Neither a bzImage nor an ELF file, or one that carries no Linux. */
  | 'not-a-kernel'
  /** A length or an offset leads past the end of what there is. */
  | 'truncated'
  /** A field, a checksum or a code that the format forbids. */
  | 'malformed'
  /** A valid format or feature of it that is not implemented here. */
  | 'unsupported'
  /** Unpacked it would be larger than the caller allowed. */
  | 'over-budget'
  /** A kernel for 32-bit x86. */
  | 'not-64-bit';

export class KernelFormatError extends Error {
  override readonly name = 'KernelFormatError';
  readonly kind: KernelErrorKind;
  /** What was being read, in the format's own words: 'xz block header', 'program header 3'. */
  readonly what: string;
  /** Where, in bytes from the start of the structure's buffer (the file, the payload or the unpacked image). */
  readonly offset: number;

  constructor(kind: KernelErrorKind, what: string, offset: number, detail: string) {
    super(`${what} at byte ${offset}: ${detail}`);
    this.kind = kind;
    this.what = what;
    this.offset = offset;
  }
}
