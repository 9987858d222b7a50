/** Page size of guest conversions, in bytes. */
export const PAGE_BYTES = 4096;

/** How the guest looks at a page: through a page-table entry with the C bit (private) or without it (shared). */
export type View = 'private' | 'shared';

/** A range of guest-physical memory in bytes. */
export interface GpaRange {
  readonly gpa: number;
  readonly size: number;
}

/** Bytes of a guest's memory by what stands behind them, as the operating system counts them. */
export interface MemoryFigures {
  readonly nominal: number;
  /** All bytes backed by frames: private + shared, each frame once. */
  readonly resident: number;
  readonly private: number;
  readonly shared: number;
  readonly pinned: number;
  /** Pinned plus allocated private memory that can't move. */
  readonly unmovable: number;
}

/** What a conversion did. */
export interface ConversionOutcome {
  /** Bytes whose attribute changed (0 where the guest repeated itself). */
  readonly changed: number;
  /** Bytes given back to the host by discarding the unused side. */
  readonly discarded: number;
}

/**
 * A guest's RAM under one regime. One verb for all memory models: convert a range. Owned by one thread.
 */
export interface GuestMemory {
  readonly ranges: readonly GpaRange[];
  /** The C bit's position, or null where the guest has none. */
  readonly cBit: number | null;
  /** Whether all of the range is RAM of this guest. */
  covers(range: GpaRange): boolean;
  /** Sets the attribute of a page-aligned, covered range and discards the side that is no longer used. */
  convert(range: GpaRange, to: View): ConversionOutcome;
  attributeOf(gpa: number): View;
  /** Reads or writes as the host would, through one view, before or while the guest runs. RangeError outside RAM. */
  read(gpa: number, length: number, view: View): Uint8Array;
  write(gpa: number, bytes: Uint8Array, view: View): void;
  figures(): MemoryFigures;
  close(): void;
}
