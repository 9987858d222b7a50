import type { Capabilities } from '@unpin/contract';

/** What placement knows of a host. */
export interface HostSnapshot {
  readonly name: string;
  readonly epoch: number;
  readonly up: boolean;
  readonly capabilities: Capabilities;
  /** Bytes that the host's kernel could give away at the last sign of life. */
  readonly availableBytes: number;
  /** Bytes that VMs placed there keep pinned, or are about to. */
  readonly pinnedBytes: number;
}
