import { Extents } from '../../guest-memory/extents.ts';
import type { View } from '../../port/guest-memory.ts';
import type { U64 } from '../../port/u64.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { MEMORY_FLAGS } from '../../uapi/constants.ts';
import { isWholePages, toPages, toU64, wraps } from './u64.ts';

const PRIVATE = BigInt(MEMORY_FLAGS.KVM_MEMORY_ATTRIBUTE_PRIVATE);

const refuse = (why: string) => failure('KVM_SET_MEMORY_ATTRIBUTES', ERRNO.EINVAL, why);

/** Guest pages [start, end), and the view that they are to have. */
export interface AttributeRange {
  readonly start: number;
  readonly end: number;
  readonly view: View;
}

/**
 * The rules of KVM_SET_MEMORY_ATTRIBUTES: KvmError EINVAL (API document; kernel, virt/kvm/kvm_main.c). A VM without
 * private memory knows no attribute; for it 0 is the only one.
 */
export function checkAttributes(
  range: { readonly gpa: U64; readonly size: U64; readonly attributes: U64; readonly flags: U64 },
  hasPrivateMemory: boolean,
): AttributeRange {
  const attributes = toU64(range.attributes);
  const gpa = toU64(range.gpa);
  const size = toU64(range.size);
  if (toU64(range.flags) !== 0n) throw refuse('flags');
  if ((attributes & ~(hasPrivateMemory ? PRIVATE : 0n)) !== 0n) throw refuse('attributes');
  if (size === 0n || wraps(gpa, size)) throw refuse('range');
  if (!isWholePages(gpa) || !isWholePages(size)) throw refuse('not whole pages');
  return { start: toPages(gpa), end: toPages(gpa + size), view: attributes === 0n ? 'shared' : 'private' };
}

/** The attribute of each guest page, in runs: a terabyte is one operation. All memory starts as shared. */
export class MemoryAttributes {
  readonly #views = new Extents<View>('shared');

  isPrivate(gfn: number): boolean {
    return this.#views.at(gfn) === 'private';
  }

  /** Sets a range, and answers the runs that had the other view. */
  set({ start, end, view }: AttributeRange): readonly { readonly start: number; readonly end: number }[] {
    return this.#views.set(start, end, view);
  }

  /** Runs of private pages below a page number. */
  privateRuns(end: number): readonly { readonly start: number; readonly end: number }[] {
    return this.#views.runs(0, end).filter((run) => run.value === 'private');
  }

  /** Runs that there are: what an operation costs. */
  get runs(): number {
    return this.#views.size;
  }
}
