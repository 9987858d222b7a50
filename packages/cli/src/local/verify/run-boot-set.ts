import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Conversion, type LaunchOrder, vmmRoutes } from '@unpin/contract';
import { createClient } from '@unpin/contract/client';
import { startVmm } from '@unpin/vmm';
import { attachConsole } from '../console.ts';
import type { Run } from './compare-run.ts';
import { milestonesOf } from './milestones.ts';

/** Between two looks, in milliseconds. */
const EVERY_MS = 200;
/** Conversions that are kept for the account: the first ones. */
const MOST_CONVERSIONS = 200;
/** Of the console, in bytes: a boot prints some 100 KiB. */
const MOST_CONSOLE = 2 ** 22;
/** After the kernel's last word on a missing root, in milliseconds: what else it had to say. */
const LINGER_MS = 500;

export interface RunBootSetOptions {
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Runs a boot set until it ends, says that it has no root filesystem, or its time is over. */
export async function runBootSet(order: LaunchOrder, { onLine, signal }: RunBootSetOptions): Promise<Run> {
  const dir = await mkdtemp(join(tmpdir(), 'unpin-verify-'));
  try {
    const vmm = await startVmm({ order, dir, withParent: true });
    const client = createClient(vmmRoutes, { socketPath: join(dir, 'api.sock') });
    const output = new PassThrough();
    let text = '';
    output.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('latin1')).slice(-MOST_CONSOLE);
    });
    const console = attachConsole(join(dir, 'console.sock'), { input: new PassThrough(), output });
    const stop = (): void => void client.stopVm({}).catch(() => vmm.kill());
    signal?.addEventListener('abort', stop, { once: true });
    const conversions: Conversion[] = [];
    const over = new AbortController();
    const watching = (async () => {
      let stopping = false;
      while (!over.signal.aborted) {
        await takeConversions(client, conversions).catch(() => undefined);
        const { lastLine, end } = milestonesOf(text.slice(-65_536));
        onLine(lastLine);
        if (end?.kind === 'no-root' && !stopping) {
          stopping = true;
          await sleep(LINGER_MS);
          stop();
        }
        await sleep(EVERY_MS, undefined, { signal: over.signal }).catch(() => undefined);
      }
    })();
    try {
      const { report, lies } = await vmm.ended;
      await console.close();
      return { report, lies, conversions, milestones: milestonesOf(text) };
    } finally {
      over.abort();
      await watching;
      signal?.removeEventListener('abort', stop);
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function takeConversions(
  client: ReturnType<typeof createClient<typeof vmmRoutes>>,
  into: Conversion[],
): Promise<void> {
  if (into.length >= MOST_CONVERSIONS) return;
  const since = (into.at(-1)?.seq ?? -1) + 1;
  const { conversions } = await client.listConversions({ query: { since } });
  into.push(...conversions.slice(0, MOST_CONVERSIONS - into.length));
}
