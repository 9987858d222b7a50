/**
 * The words that a rule's thread and the kick desk share, an Int32Array over a SharedArrayBuffer.
 *
 * RUN: 0 outside KVM_RUN, n inside the n-th run, -n while the desk is kicking it: the vCPU must not go away then.
 * FIRED: the last run that the watchdog kicked.
 * WAIT: whether the desk is about to kick for a rule (see the WAIT_* states).
 */
export const RUN = 0;
export const FIRED = 1;
export const WAIT = 2;
export const WATCHDOG_WORDS = 3;

export const WAIT_IDLE = 0;
/** Asked by the rule: the desk goes to idle when it has kicked. */
export const WAIT_ARMED = 1;
/** The rule ends before the kick: the desk goes to idle without it. */
export const WAIT_CANCELLED = 2;

/** How often the watchdog looks, and how often it repeats a kick, in milliseconds. */
export const WATCHDOG_PERIOD_MS = 100;

/** How long one KVM_RUN may take before it is kicked out, in milliseconds. */
export const DEFAULT_RUN_LIMIT_MS = 5000;

/** How long a rule may stay silent beyond the limit of one run, before its process is given up, in milliseconds. */
export const GIVE_UP_MS = 30_000;
