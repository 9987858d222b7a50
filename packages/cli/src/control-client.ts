import { controlRoutes } from '@unpin/contract';
import { type Client, createClient } from '@unpin/contract/client';
import { loadConfig } from './config/load.ts';
import type { GlobalOptions } from './program.ts';

export type ControlClient = Client<typeof controlRoutes>;

/** A client for the control plane that flags, environment or configuration name. */
export function controlClient(globals: GlobalOptions): ControlClient {
  return createClient(controlRoutes, { url: loadConfig(globals).url.value });
}

/** Asks again until the answer satisfies, at most `timeoutMs`; answers the last one either way. */
export async function until<T>(
  ask: () => Promise<T>,
  satisfies: (answer: T) => boolean,
  timeoutMs: number,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (satisfies(answer) || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
