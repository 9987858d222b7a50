import type { View } from '@unpin/kvm';

/** An instruction of the guest. */
export interface Place {
  /** Instructions before it, each delivered exception counting as one. */
  readonly after: number;
  /** Hexadecimal. */
  readonly rip: string;
  readonly symbol?: string;
  /** Intel syntax; absent where it couldn't be read. */
  readonly text?: string;
}

/** Bytes that the guest got as `sev` and not as `sev-upm`. Bytes are in hexadecimal, two digits each. */
export interface LostBytes {
  /** The first that differs, without the C bit. */
  readonly gpa: number;
  /** From the first that differs to the last. */
  readonly length: number;
  /** The view that the guest read them through. */
  readonly view: View;
  /** What the page is by what was reported. */
  readonly attribute: View;
  readonly sev: string;
  /** Absent where `sev-upm` has none: a new private page shows what nobody can foretell. */
  readonly upm?: string;
  /** What lies there on the page's other side as `sev-upm`. */
  readonly otherSide?: string;
  /** The last report of the page. */
  readonly report?: { readonly to: View; readonly gpa: number; readonly bytes: number; readonly by: Place };
}

/**
 * How bytes came to differ:
 *
 * - `host-write`: KVM or the VMM wrote them for the guest, into the shared side.
 * - `conversion`: a report of the guest gave the side up that held them.
 * - `guest-write`: the guest wrote them through one view, and they are not where the other one looks.
 * - `passed-on`: the guest wrote what it had read elsewhere: `from` says where.
 * - `undefined`: nobody wrote them. The page had just been converted, or was never used: what it shows is left to chance,
 *   on `sev` as well, so that nothing was lost.
 * - `unexplained`: none of these.
 */
export type OriginKind = 'host-write' | 'conversion' | 'guest-write' | 'passed-on' | 'undefined' | 'unexplained';

export interface Origin {
  readonly kind: OriginKind;
  readonly at?: Place;
  readonly from?: Loss;
}

/** Bytes that were lost, and how. */
export interface Loss {
  readonly bytes: LostBytes;
  readonly origin: Origin;
}

export interface RegisterDifference {
  readonly name: string;
  /** Hexadecimal. */
  readonly sev: string;
  readonly upm: string;
}

/** What the judge of `sev-upm` said of the guest. */
export interface NamedLie {
  readonly kind: string;
  readonly gpa: number;
  readonly rip: string;
  readonly symbol?: string;
  readonly hostUse?: string;
  readonly onHardware: string;
}

/** The first instruction behind which the two differ. */
export interface Divergence {
  readonly at: Place;
  readonly registers: readonly RegisterDifference[];
  /** Absent where no memory that the instruction names differs. */
  readonly loss?: Loss;
  /** The judge's last word before it, where it is about the lost bytes, or where the host looked instead of the guest. */
  readonly lie?: NamedLie;
}

/** Whether a divergence shows nothing but what is left to chance. Pure. */
export function isByChance({ loss }: Divergence): boolean {
  return loss !== undefined && rootOf(loss).origin.kind === 'undefined';
}

/** Where bytes that were passed on came from. Pure. */
export function rootOf(loss: Loss): Loss {
  return loss.origin.from === undefined ? loss : rootOf(loss.origin.from);
}
