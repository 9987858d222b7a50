import { freemem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageBoot } from '@unpin/contract';
import type { Verdict } from '@unpin/policy';
import { destination, pino } from 'pino';
import { askCapabilities } from './capabilities/ask-vmm.ts';
import { Link } from './control/link.ts';
import { buildAgentApp } from './http/agent-app.ts';
import { freeSocket } from './http/own-socket.ts';
import { inspect, prepareBoot } from './inspection/inspect.ts';
import { Inspector } from './inspection/inspector.ts';
import type { AgentOptions } from './options.ts';
import { Reconciler } from './vms/reconciler.ts';

/** Milliseconds between two looks at all VMs. */
const ROUND_MS = 500;

export interface RunningAgent {
  readonly socketPath: string;
  /** Resolves at the first registration. */
  readonly registered: Promise<void>;
  /** Rejects where going on is no use; resolves after the signal, when what was under way is done. */
  readonly done: Promise<void>;
}

/** Asks what this machine can run, then serves its control plane until the signal fires. VMs go on. */
export async function runAgent(options: AgentOptions, signal: AbortSignal): Promise<RunningAgent> {
  const log = pino({ name: 'unpin-agent', level: options.logLevel }, destination({ fd: 2, sync: true }));
  const socketPath = join(options.stateDir, 'agent.sock');
  await freeSocket(socketPath);
  const capabilities = await askCapabilities(options.vmm, signal);

  const judge = (boot: ImageBoot): Promise<Verdict> => inspect(boot, capabilities.vmm.version, signal);
  const link = new Link({
    url: options.control,
    host: options.host,
    endpoint: { socketPath },
    capabilities,
    log,
    ending: signal,
  });
  const reconciler = new Reconciler({
    stateDir: options.stateDir,
    vmm: options.vmm,
    prepare: (boot, folder) => prepareBoot(boot, folder, capabilities.vmm.version, signal),
    now: () => Date.now(),
    ending: signal,
    deliver: (status) => link.putVmStatus(status),
    log,
  });
  const inspector = new Inspector({ inspect: judge, deliver: (image, result) => link.putInspection(image, result) });
  const app = buildAgentApp(reconciler);
  await app.listen({ path: socketPath });

  let orders: Parameters<typeof inspector.work>[0] = [];
  let woken = new AbortController();
  const registered = Promise.withResolvers<void>();
  const follow = link.follow(registered.resolve, (work) => {
    orders = work.inspections;
    reconciler.want(work);
    woken.abort();
  });
  const beat = link.beat(() => ({ availableBytes: freemem(), strays: reconciler.strays }));
  const rounds = (async () => {
    while (!signal.aborted) {
      woken = new AbortController();
      void inspector.work(orders);
      await reconciler.round();
      await sleep(ROUND_MS, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => undefined);
    }
  })();

  return {
    socketPath,
    registered: registered.promise,
    done: Promise.all([follow, beat, rounds]).then(() => app.close()),
  };
}
