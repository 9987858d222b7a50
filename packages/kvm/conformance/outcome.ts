/** What became of one rule. */
export type Outcome =
  | { readonly status: 'passed'; readonly id: string }
  | {
      readonly status: 'failed';
      readonly id: string;
      /** Which step of the check. */
      readonly what: string;
      readonly expected: string;
      readonly found: string;
    }
  | { readonly status: 'cannot-answer'; readonly id: string; readonly need: string; readonly reason: string }
  | { readonly status: 'not-applicable'; readonly id: string; readonly reason: string };

export type OutcomeStatus = Outcome['status'];
