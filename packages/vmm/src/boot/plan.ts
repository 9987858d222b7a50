import type { GpaRange } from '@unpin/kvm';
import { BootError } from './boot-error.ts';
import type { CpuEntry } from './cpu-entry.ts';
import { inRam } from './ram.ts';

/** One piece of what a guest starts with. */
export interface BootPiece {
  /** For a person and for overlap errors: "kernel segment 2". */
  readonly what: string;
  readonly gpa: number;
  readonly bytes: Uint8Array;
  /** Bytes claimed, at least bytes.length; what is beyond reads as zeros (a segment's bss). */
  readonly size: number;
}

/** All that is in memory when the first instruction runs, and where that is. Sorted by address, without overlaps. */
export interface BootPlan {
  readonly pieces: readonly BootPiece[];
  readonly entry: CpuEntry;
  readonly ram: readonly GpaRange[];
  /** The C bit's position, or null without one. All pieces go through the private view where there is one. */
  readonly cBit: number | null;
}

/** A piece whose size is its bytes' length, unless told otherwise. */
export function piece(what: string, gpa: number, bytes: Uint8Array, size: number = bytes.length): BootPiece {
  return { what, gpa, bytes, size: Math.max(size, bytes.length) };
}

/**
 * Sorts pieces and checks them against RAM and each other.
 * @throws BootError `kernel-too-large` for one outside RAM, `overlap` for two at one place.
 */
export function checkedPieces(pieces: readonly BootPiece[], ram: readonly GpaRange[]): readonly BootPiece[] {
  const sorted = pieces.filter((item) => item.size > 0).sort((a, b) => a.gpa - b.gpa);
  let before: BootPiece | undefined;
  for (const item of sorted) {
    if (!inRam(ram, item.gpa, item.size))
      throw new BootError(
        'kernel-too-large',
        `RAM of ${ram.map((range) => hexRange(range.gpa, range.size)).join(' and ')}`,
        `${item.what} needs ${hexRange(item.gpa, item.size)}`,
      );
    if (before !== undefined && before.gpa + before.size > item.gpa)
      throw new BootError(
        'overlap',
        `${before.what} at ${hexRange(before.gpa, before.size)}`,
        `${item.what} needs ${hexRange(item.gpa, item.size)}`,
      );
    before = item;
  }
  return sorted;
}

function hexRange(gpa: number, size: number): string {
  return `0x${gpa.toString(16)}–0x${(gpa + size - 1).toString(16)}`;
}
