/** Milliseconds between an agent's heartbeats. */
export const HEARTBEAT_MS = 3000;
/** Milliseconds without a sign of life after which a host counts as lost. */
export const LEASE_MS = 15_000;

export interface Sign {
  readonly up: boolean;
  /** Milliseconds since 1970; absent where this process has not heard of the host yet. */
  readonly lastSeenAt?: number;
  readonly availableBytes?: number;
  readonly strays: readonly string[];
}

interface Seen {
  readonly at: number;
  readonly availableBytes?: number;
  readonly strays: readonly string[];
}

/**
 * Signs of life by host. In memory: they are worth nothing after a restart, agents repeat them every few seconds, and
 * a full disk must not make hosts look lost.
 */
export class Presence {
  readonly #seen = new Map<string, Seen>();

  /** Any call of the host's agent. */
  alive(host: string, at: number): void {
    this.#seen.set(host, { strays: [], ...this.#seen.get(host), at });
  }

  heartbeat(host: string, at: number, availableBytes: number, strays: readonly string[]): void {
    this.#seen.set(host, { at, availableBytes, strays });
  }

  of(host: string, now: number): Sign {
    const seen = this.#seen.get(host);
    if (seen === undefined) return { up: false, strays: [] };
    const { at, availableBytes, strays } = seen;
    return {
      up: now - at <= LEASE_MS,
      lastSeenAt: at,
      strays,
      ...(availableBytes === undefined ? {} : { availableBytes }),
    };
  }
}
