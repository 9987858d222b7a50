import type { BackendInfo } from '../src/port/kvm.ts';
import type { BackendRef } from './backend-ref.ts';
import type { Outcome } from './outcome.ts';

/** What a rule process is asked to do. */
export interface Job {
  readonly backend: BackendRef;
  /** URL of the module that exports the rules. */
  readonly rules: string;
  /** Which of them, in order. */
  readonly ids: readonly string[];
  readonly runLimitMs: number;
  readonly silenceLimitMs: number;
}

/** What it says, in order: `opened`, then `started` and `outcome` for each rule; or `unavailable` and nothing more. */
export type Progress =
  | { readonly kind: 'opened'; readonly info: BackendInfo }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'started'; readonly id: string }
  | { readonly kind: 'outcome'; readonly outcome: Outcome };
