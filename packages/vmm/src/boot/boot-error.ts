/** Why a guest can't be laid out in its memory. */
export type BootErrorKind =
  /** A memory size of zero, not a multiple of the page size, or too small for any guest. */
  | 'memory-size'
  /** A segment of the kernel lies outside the guest's RAM. */
  | 'kernel-too-large'
  /** No gap in RAM is large enough for the initrd. */
  | 'initrd-too-large'
  /** Longer than the kernel's cmdline_size. */
  | 'command-line-too-long'
  /** A command line with a NUL or a line break, which would end or split it. */
  | 'command-line-malformed'
  /** Two pieces claim the same memory, e.g. a kernel linked over the boot parameters. */
  | 'overlap'
  /** The kernel's entry isn't in any of its segments. */
  | 'bad-entry'
  /** The setup header is no such header, or too long for boot_params. */
  | 'bad-setup-header'
  /** A C bit that is no bit above the guest's RAM, or page tables that don't fit their place. */
  | 'bad-mapping';

/** A boot that can't be planned. The edge of the room turns it into a catalogue error. */
export class BootError extends Error {
  override readonly name = 'BootError';
  readonly kind: BootErrorKind;
  /** What there is, for a person: "64 MiB of RAM". */
  readonly found: string;
  /** What would be enough. */
  readonly needed: string;

  constructor(kind: BootErrorKind, found: string, needed: string) {
    super(`${found}; ${needed}`);
    this.kind = kind;
    this.found = found;
    this.needed = needed;
  }
}
