import type { GuestMemfd, HostMemory, HostMemoryHandle, View } from '../port/index.ts';
import { Extents } from './extents.ts';

/** What a guest's memory object knows beside its KVM, for a snapshot: plain data. Bytes and slots are KVM's. */
export interface SavedGuestMemory {
  readonly kind: 'memslots' | 'guest_memfd' | 'attributes';
  readonly memory: HostMemoryHandle;
  /** Its descriptor; -1 without. */
  readonly guestMemfd: number;
  /** Pages [start, end) that are in another view than `initial`. */
  readonly initial: View;
  readonly converted: readonly (readonly [start: number, end: number])[];
}

/** A KVM that holds a restored VM's memory: what was made for the saved VM is taken over by its old handles. */
export interface MemoryAdopter {
  /** RangeError for none. */
  adoptMemory(handle: HostMemoryHandle): HostMemory;
  adoptGuestMemfd(fd: number): GuestMemfd;
}

/** The runs of [0, end) that have the other view. */
export function convertedRuns(views: Extents<View>, initial: View, end: number): SavedGuestMemory['converted'] {
  return views
    .runs(0, end)
    .filter(({ value }) => value !== initial)
    .map((run) => [run.start, run.end]);
}

export function extentsOf({ initial, converted }: SavedGuestMemory): Extents<View> {
  const views = new Extents<View>(initial);
  for (const [start, end] of converted) views.set(start, end, initial === 'private' ? 'shared' : 'private');
  return views;
}
