import type { View } from '../port/guest-memory.ts';

/** What the host was asked to use a guest page for: it always reads and writes the shared side. */
export type HostUse =
  | 'kvm-clock'
  | 'wall-clock'
  | 'steal-time'
  | 'async-page-fault'
  | 'pv-eoi'
  | 'virtqueue'
  | 'pio-string';

/**
 * - `consumed-other-view`: a byte was read through another view than it was last written through.
 * - `consumed-discarded`: a byte was read through the view whose side a conversion had discarded.
 * - `host-use`: the host was asked to use a page whose attribute is private.
 */
export type LieKind = 'consumed-other-view' | 'consumed-discarded' | 'host-use';

/**
 * A consequence of a page that the guest did not report, or reported wrongly. A wrong-view access alone is none:
 * correct kernels clear pages through the shared view before they report them.
 */
export interface Lie {
  readonly kind: LieKind;
  /** The first byte concerned, without the C bit. */
  readonly gpa: number;
  /** How many bytes of the access are concerned. */
  readonly bytes: number;
  /** The view that was used; the host's is `shared`. */
  readonly view: View;
  /** The view that the bytes were last written through. */
  readonly writtenView: View;
  readonly attribute: View;
  readonly hostUse?: HostUse;
  /** False where only the page, not each byte, is known to have been written (too many pages were discarded). */
  readonly exact: boolean;
  /** What SEV hardware with private memory in a guest_memfd would have done. */
  readonly onHardware: string;
}

/** An access through a view whose side was not mapped, or that the page's attribute does not say. */
export interface WrongView {
  /** Without the C bit. */
  readonly gpa: number;
  readonly size: number;
  readonly view: View;
  readonly isWrite: boolean;
  /** The page's attribute at the access. `view === attribute` is the guest coming back to the right view. */
  readonly attribute: View;
  /** The page has used up its budget: both views are mapped from now on and nothing more is seen of it. */
  readonly saturated: boolean;
}

/** What one access or host use was found to be. */
export interface Judgement {
  /** Null where the access went through the mapped view (the rest of an access that crossed into a flipped page). */
  readonly wrongView: WrongView | null;
  readonly lies: readonly Lie[];
}
