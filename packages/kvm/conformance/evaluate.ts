import type { Kvm } from '../src/port/kvm.ts';
import { BrokenPromise, CannotAnswer, GuestStuck } from './expectation.ts';
import type { GuestWatch } from './guest-watch.ts';
import { type KernelVersion, parseKernelVersion, spanHolds } from './kernel-version.ts';
import type { Need } from './need.ts';
import type { Outcome } from './outcome.ts';
import type { Rule } from './rule.ts';
import { RuleContext } from './rule-context.ts';

/** Asks one KVM rule by rule. What a need found is remembered for the rules after. */
export class Evaluator {
  readonly #kvm: Kvm;
  readonly #kernel: KernelVersion;
  readonly #watch: GuestWatch;
  readonly #needs = new Map<string, string | undefined>();

  constructor(kvm: Kvm, watch: GuestWatch) {
    this.#kvm = kvm;
    this.#kernel = parseKernelVersion(kvm.info.kernel);
    this.#watch = watch;
  }

  evaluate(rule: Rule): Outcome {
    const { id } = rule;
    if (!spanHolds(rule, this.#kernel))
      return { status: 'not-applicable', id, reason: `kernel ${this.#kvm.info.kernel}: ${spanInWords(rule)}` };
    for (const need of rule.needs ?? []) {
      const reason = this.#missing(need);
      if (reason !== undefined) return { status: 'cannot-answer', id, need: need.name, reason };
    }
    return this.#check(rule);
  }

  #check(rule: Rule): Outcome {
    const { id } = rule;
    const ctx = new RuleContext(this.#kvm, this.#kernel, this.#watch, rule.variants);
    let outcome: Outcome = { status: 'passed', id };
    try {
      rule.check(ctx);
    } catch (error) {
      outcome = outcomeOf(id, error);
    }
    try {
      ctx.closeAll();
    } catch (error) {
      if (outcome.status === 'passed')
        outcome = { status: 'failed', id, what: 'cleaning up', expected: 'close succeeds', found: messageOf(error) };
    }
    return outcome;
  }

  #missing(need: Need): string | undefined {
    if (!this.#needs.has(need.name)) {
      const ctx = new RuleContext(this.#kvm, this.#kernel, this.#watch);
      try {
        this.#needs.set(need.name, need.missing(ctx));
      } catch (error) {
        this.#needs.set(need.name, `the probe failed: ${messageOf(error)}`);
      }
      ctx.closeAll();
    }
    return this.#needs.get(need.name);
  }
}

function outcomeOf(id: string, error: unknown): Outcome {
  if (error instanceof CannotAnswer) return { status: 'cannot-answer', id, need: error.need, reason: error.reason };
  if (error instanceof BrokenPromise)
    return { status: 'failed', id, what: error.what, expected: error.expected, found: error.found };
  if (error instanceof GuestStuck)
    return { status: 'failed', id, what: 'KVM_RUN', expected: 'an exit', found: error.message };
  return { status: 'failed', id, what: 'the check', expected: 'no error', found: messageOf(error) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function spanInWords(rule: Rule): string {
  const from = rule.since === undefined ? [] : [`since ${rule.since}`];
  const to = rule.until === undefined ? [] : [`until ${rule.until}`];
  return `promised ${[...from, ...to].join(' ')}`;
}
