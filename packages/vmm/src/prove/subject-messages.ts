import type { BootOrder, ErrorBody } from '@unpin/contract';
import type { View } from '@unpin/kvm';
import type { OperandLook } from '@unpin/kvm/software';
import type { ConversionRecord, LieRecord } from '../machine/messages.ts';

/** The types whose guests are held against each other: pinned with one side, and unpinned with two. */
export const SUBJECT_TYPES = ['sev', 'sev-upm'] as const;
export type SubjectType = (typeof SUBJECT_TYPES)[number];

export interface SubjectOptions {
  readonly type: SubjectType;
  readonly boot: BootOrder;
  /** A multiple of 2 MiB. */
  readonly memoryBytes: number;
  /** 32 bits: keys and random numbers follow from it. */
  readonly seed: number;
  /** Ends it once its console has shown this. */
  readonly until?: string;
  /** Ends it after so many seconds of its own time: an idle guest spends them in no time. */
  readonly guestSeconds: number;
}

/** Why a subject runs no further. */
export type SubjectEnd =
  /** The guest switched itself off, halted for good, or reset. */
  | { readonly kind: 'ended'; readonly reason: string; readonly detail?: string }
  /** It crashed, or the VMM can't go on with it. */
  | { readonly kind: 'crashed'; readonly detail: string }
  | { readonly kind: 'text' }
  | { readonly kind: 'guest-time' };

/** What is known of a subject, besides its digests. */
export interface SubjectState {
  /** Instructions retired, each delivered exception counting as one. */
  readonly retired: number;
  readonly end?: SubjectEnd;
  /** The guest has executed user code. */
  readonly userSpace: boolean;
  /** CR3 has the C bit: page tables are private, so the kernel runs as an SEV guest. */
  readonly encrypted: boolean;
  readonly guestSeconds: number;
  readonly lastLine: string;
  readonly conversions: number;
  readonly convertedBytes: number;
  readonly wrongViewAccesses: number;
  readonly lies: number;
  /** The first of them. */
  readonly firstLies: readonly LieRecord[];
  /** SHA-256 of all that was compared so far, hex. */
  readonly digest: string;
}

/** Bytes of one guest page, as one of its views shows them. */
export interface WatchedBytes {
  readonly gpa: number;
  /** Not beyond the page. */
  readonly length: number;
  readonly view: View;
}

/** Digests of everything so far at the end of each window, of 64 bits. */
export interface WindowsAnswer {
  /** Instructions before the first. */
  readonly from: number;
  readonly size: number;
  readonly digests: BigUint64Array;
  /** Of the watched bytes alone. */
  readonly watched: BigUint64Array;
  readonly state: SubjectState;
}

/** Memory that the next instruction uses, with what it holds. */
export interface OperandBytes extends OperandLook {
  /** The instruction's own bytes. */
  readonly isCode: boolean;
  /** The page's, by what was reported. */
  readonly attribute: View;
  /** What the guest would read, up to the page's end; null where there is no memory, or nobody knows. */
  readonly bytes: Uint8Array | null;
  /** What lies there on the other side of the page, as the host or the guest wrote it; null where nothing does. */
  readonly otherSide: Uint8Array | null;
  /** The last that covered the first byte. */
  readonly conversion?: ConversionRecord;
}

/** A subject between two instructions. */
export interface LookAnswer {
  readonly retired: number;
  /** By name, in hexadecimal. */
  readonly registers: ReadonlyMap<string, string>;
  readonly rip: bigint;
  readonly cpl: number;
  readonly text?: string;
  readonly code: Uint8Array;
  readonly operands: readonly OperandBytes[];
  readonly watched: Uint8Array | null;
  /** The view that their page was last used through. */
  readonly watchedIn: View | null;
  readonly lies: readonly LieRecord[];
}

export type SubjectRequest =
  /** From the first instruction on again, with the image that was read. */
  | { readonly kind: 'restart' }
  | { readonly kind: 'windows'; readonly size: number; readonly count: number; readonly watch?: WatchedBytes }
  | { readonly kind: 'run-to'; readonly retired: number }
  | { readonly kind: 'look'; readonly watch?: WatchedBytes };

export interface SubjectAnswers {
  readonly restart: SubjectState;
  readonly windows: WindowsAnswer;
  readonly 'run-to': SubjectState;
  readonly look: LookAnswer;
}

export type SubjectReply =
  | { readonly id: number; readonly answer: SubjectAnswers[keyof SubjectAnswers] }
  | { readonly id: number; readonly error: ErrorBody };
