import type { KernelSpan } from './kernel-version.ts';
import type { Need } from './need.ts';
import type { RuleContext } from './rule-context.ts';

/** The errno symbols that rules expect. */
export type Errno =
  | 'EAGAIN'
  | 'EBADF'
  | 'EBUSY'
  | 'E2BIG'
  | 'EEXIST'
  | 'EFAULT'
  | 'EINVAL'
  | 'EIO'
  | 'ENODEV'
  | 'ENOENT'
  | 'ENOMEM'
  | 'ENOTTY'
  | 'ENXIO'
  | 'EOPNOTSUPP'
  | 'EPERM';

/** What a rule expects on a span of kernels. The first variant whose span holds counts. */
export interface Variant extends KernelSpan {
  /** One errno; more where nobody has asked the kernels of the span, which changed somewhere in it. */
  readonly errnos: readonly Errno[];
}

/**
 * One promise of the KVM user API, by name. A rule speaks only to the port, so every backend can be asked the same.
 * `since` and `until` tell the kernels that make the promise; `needs` what must be there for a KVM to answer at all.
 */
export interface Rule extends KernelSpan {
  /** Stable, kebab-case, `topic/what-holds`. */
  readonly id: string;
  /** One sentence. */
  readonly says: string;
  /** Where the promise comes from: a section of the API document, a selftest, or a kernel file, in our own words. */
  readonly source: string;
  /** The errno where it changed between kernels; `ctx.errnos()` gives what this kernel may say. */
  readonly variants?: readonly Variant[];
  readonly needs?: readonly Need[];
  /** Throws where the promise is broken (see expectation.ts). */
  check(ctx: RuleContext): void;
}
