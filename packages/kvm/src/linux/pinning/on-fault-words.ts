import type { LinuxHostMemoryHandle } from '../../port/index.ts';

/** The words that a served memory shares with the thread that serves it: an Int32Array over a SharedArrayBuffer. */
export const STATE = 0;
export const GRANULES = 1;
export const PINNED_KIB = 2;
export const FAILURES = 3;
export const FIRST_ERRNO = 4;
export const WORDS = 5;

/** STATE: the server sets SERVING and ENDED, the owner ENDING. */
export const STARTING = 0;
export const SERVING = 1;
export const ENDING = 2;
export const ENDED = 3;

export interface OnFaultJob {
  readonly memory: LinuxHostMemoryHandle;
  readonly words: Int32Array;
}

export type OnFaultMessage =
  | { readonly kind: 'serving' }
  | { readonly kind: 'failed'; readonly call: string; readonly errno: number; readonly detail: string };
