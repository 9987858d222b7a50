import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Capabilities,
  type Endpoint,
  type HostWork,
  hostRoutes,
  type InspectionResult,
  UnpinError,
  type VmStatus,
} from '@unpin/contract';
import { type Client, createClient } from '@unpin/contract/client';
import type { Logger } from 'pino';
import { CONTRACT_VERSION, VERSION } from '../version.ts';

export interface LinkOptions {
  readonly url: string;
  readonly host: string;
  readonly endpoint: Endpoint;
  readonly capabilities: Capabilities;
  readonly log: Logger;
  /** Ends the link. */
  readonly ending: AbortSignal;
}

/** Milliseconds that a watch waits, and between tries while the control plane does not answer. */
const WATCH_MS = 20_000;
const RETRY_LEAST_MS = 100;
const RETRY_MOST_MS = 3000;

/** The agent's line to the control plane: registers, follows its work, tells it things, and outlasts its outages. */
export class Link {
  readonly #options: LinkOptions;
  readonly #control: Client<typeof hostRoutes>;
  #epoch = 0;
  #heartbeatMs = 1000;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#control = createClient(hostRoutes, { url: options.url });
  }

  /**
   * Registers and hands over all work as it changes, until the link ends. Rejects only where going on is no use: another
   * agent has taken the host over, or the control plane refuses this one.
   */
  async follow(registered: () => void, work: (work: HostWork) => void): Promise<void> {
    const { ending, log } = this.#options;
    let wait = RETRY_LEAST_MS;
    let since = 0;
    while (!ending.aborted) {
      try {
        if (this.#epoch === 0) {
          await this.#register();
          registered();
          since = 0;
        }
        const answer = await this.#watch(since);
        since = answer.revision;
        wait = RETRY_LEAST_MS;
        work(answer);
      } catch (error) {
        if (ending.aborted) return;
        if (!isOutage(error)) throw error;
        if (error.code === 'NOT_FOUND') this.#epoch = 0;
        if (wait === RETRY_LEAST_MS) log.warn({ reason: error.message }, 'the control plane does not serve; VMs go on');
        await sleep(wait, undefined, { signal: ending }).catch(() => undefined);
        wait = Math.min(wait * 2, RETRY_MOST_MS);
      }
    }
  }

  /** Gives a sign of life at the control plane's pace, until the link ends. Never rejects. */
  async beat(facts: () => { availableBytes: number; strays: readonly string[] }): Promise<void> {
    const { ending, host, log } = this.#options;
    while (!ending.aborted) {
      await sleep(this.#heartbeatMs, undefined, { signal: ending }).catch(() => undefined);
      if (ending.aborted || this.#epoch === 0) continue;
      const { availableBytes, strays } = facts();
      await this.#control
        .heartbeat(
          { params: { host }, query: { epoch: this.#epoch }, body: { availableBytes, strays: [...strays] } },
          { signal: ending },
        )
        .catch((error: unknown) => log.debug({ reason: String(error) }, 'a heartbeat was not heard'));
    }
  }

  async putInspection(image: string, body: InspectionResult): Promise<void> {
    const { host, ending } = this.#options;
    const query = this.#fence();
    await this.#control.putInspection({ params: { host, image }, query, body }, { signal: ending });
  }

  async putVmStatus(body: VmStatus): Promise<void> {
    const { host, ending } = this.#options;
    const query = this.#fence();
    await this.#control.putVmStatus({ params: { host, uid: body.uid }, query, body }, { signal: ending });
  }

  #fence(): { epoch: number } {
    if (this.#epoch > 0) return { epoch: this.#epoch };
    throw new UnpinError('SERVER_UNREACHABLE', { subject: this.#options.url, found: 'no registration yet' });
  }

  async #register(): Promise<void> {
    const { host, endpoint, capabilities, ending } = this.#options;
    const agent = { version: VERSION, contract: CONTRACT_VERSION, pid: process.pid };
    const { epoch, heartbeatMs } = await this.#control.registerHost(
      { params: { host }, body: { agent, endpoint, capabilities } },
      { signal: ending },
    );
    this.#epoch = epoch;
    this.#heartbeatMs = heartbeatMs;
  }

  #watch(since: number): Promise<HostWork> {
    const { host, ending } = this.#options;
    const query = { epoch: this.#epoch, since, waitMs: WATCH_MS };
    return this.#control.watchWork({ params: { host }, query }, { signal: ending, timeoutMs: WATCH_MS + 10_000 });
  }
}

/** Errors that pass: no server, a full or restored database, a defect of one answer. */
function isOutage(error: unknown): error is UnpinError {
  return error instanceof UnpinError && !['CONFLICT', 'REQUEST_INVALID'].includes(error.code);
}
