import type { AdmissionConfig } from '@unpin/contract';
import type { Logger } from 'pino';
import type { Presence } from './hosts/presence.ts';
import type { Store } from './store/store.ts';

/** What handlers work with. Clock and identities come from here, so that decisions stay pure. */
export interface Services {
  readonly store: Store;
  readonly presence: Presence;
  readonly log: Logger;
  /** The operator's choices for the webhooks; without them they answer that they have none. */
  readonly admission?: AdmissionConfig;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A fresh identity for a VM: 12 hexadecimal digits. */
  readonly newUid: () => string;
  /** Fires when the server ends: waiting watches answer at once. */
  readonly ending: AbortSignal;
}
