import { setTimeout as sleep } from 'node:timers/promises';
import type { TracePage } from '@unpin/contract';

/** Milliseconds that a read waits for an event, and between two reads: what is lost is told, so pages may be large. */
const WAIT_MS = 300;
const PAUSE_MS = 50;

/** Where a trace is read: a VM's own API, or the control plane. */
export interface TraceSource {
  read(since: number, waitMs: number): Promise<TracePage>;
  end(since: number): Promise<TracePage>;
}

/**
 * Reads a trace until it is over, page by page. The signal ends it: what it has left is still read.
 * @param take takes one page; the next is read when it has done so
 */
export async function followTrace(
  source: TraceSource,
  since: number,
  take: (page: TracePage) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let next = since;
  for (;;) {
    const page = await (signal.aborted ? source.end(next) : source.read(next, WAIT_MS));
    await take(page);
    next = page.next;
    if (page.over !== undefined) return;
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}
