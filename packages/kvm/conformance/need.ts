import type { RuleContext } from './rule-context.ts';

/** Something that must be there for a KVM to be able to answer a rule. Asked once per run, by name. */
export interface Need {
  readonly name: string;
  /** Why this KVM can't answer, in words a person reads; undefined where it can. */
  missing(ctx: RuleContext): string | undefined;
}
