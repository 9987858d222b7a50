/**
 * A program that answers as a VMM does, without a guest: for what an agent has to do whatever runs in a VM.
 * The VM's name says how it behaves: `quick…` ends at once, `dies…` ends without a word that counts, `deaf…` does not
 * stop for anything but SIGKILL, others run until they are told to.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type LaunchOrder, type TracePage, UnpinError, type VmReport, vmmRoutes } from '@unpin/contract';
import { type Handlers, registerRoutes, useCatalogueErrors } from '@unpin/contract/server';
import { vmTypes } from '@unpin/policy';
import { fastify } from 'fastify';

const { values } = parseArgs({
  options: {
    capabilities: { type: 'boolean' },
    json: { type: 'boolean' },
    dir: { type: 'string', default: '' },
    order: { type: 'string', default: '' },
  },
});

if (values.capabilities === true) print(capabilities());
else await run(values.dir, JSON.parse(readFileSync(values.order, 'utf8')) as LaunchOrder);

async function run(dir: string, order: LaunchOrder): Promise<void> {
  const app = fastify({ forceCloseConnections: true });
  const sockets = { api: join(dir, 'api.sock'), console: join(dir, 'console.sock') };
  const events = [{ seq: 0, atMs: 0, what: 'started' }];
  const end = (reason: string) => {
    const { figures } = report(order, 'ended');
    print({ ending: { reason }, figures, report: { ...report(order, 'ended'), ending: { reason } }, events });
    process.exit(0);
  };
  useCatalogueErrors(app);
  registerRoutes(app, vmmRoutes, {
    getVm: async () => report(order, 'running'),
    listEvents: async () => ({ events }),
    listConversions: async () => ({ total: 0, conversions: [] }),
    listLies: async () => ({ total: 0, lies: [] }),
    ...traceHandlers(),
    takeSnapshot: async () => {
      throw new UnpinError('SNAPSHOT_UNAVAILABLE', { subject: order.name, found: 'a stand-in' });
    },
    stopVm: async () => {
      if (order.name.startsWith('deaf')) return await new Promise<VmReport>(() => {});
      setImmediate(() => end('stopped'));
      return report(order, 'ended');
    },
  });
  await app.listen({ path: sockets.api });
  print({ ready: { name: order.name, pid: process.pid, ...sockets } });
  process.on('SIGTERM', () => {
    if (!order.name.startsWith('deaf')) end('stopped');
  });
  if (order.name.startsWith('quick')) end('power-off');
  if (order.name.startsWith('dies')) {
    process.stderr.write('assertion failed: 1 = 2\n');
    process.exit(9);
  }
}

/** One exit a page while a trace is on, and one that it has left at its end. */
function traceHandlers(): Pick<Handlers<typeof vmmRoutes>, 'startTrace' | 'readTrace' | 'endTrace'> {
  const traces = new Set<string>();
  const page = (trace: string, since: number): TracePage => {
    if (!traces.has(trace)) throw new UnpinError('NOT_FOUND', { subject: `trace ${trace}` });
    const exit = { kind: 'exit', reason: 'io', port: 0x3f8, bytes: 1, direction: 'out', ns: 1500 } as const;
    const events = [{ seq: since, atNs: since * 1000, ...exit }];
    const count = since + 1;
    return { events, next: count, lost: 0, totals: { ns: count * 1000, exits: { io: { count, ns: count * 1500 } } } };
  };
  return {
    startTrace: async ({ body: { kinds } }) => {
      const trace = kinds.join('+');
      traces.add(trace);
      return { trace, since: 0, leaseMs: 1000 };
    },
    readTrace: async ({ params: { trace }, query: { since } }) => page(trace, since),
    endTrace: async ({ params: { trace }, query: { since } }) => {
      const last = page(trace, since);
      traces.delete(trace);
      return { ...last, over: 'told' };
    },
  };
}

function report(order: LaunchOrder, state: 'running' | 'ended'): VmReport {
  return {
    name: order.name,
    pid: process.pid,
    state,
    type: order.type,
    regime: order.regime,
    execution: order.execution,
    confidential: false,
    mark: '',
    memoryBytes: order.memoryBytes,
    privateMemory: 'memslots',
    figures: {
      nominal: order.memoryBytes,
      resident: 4096,
      private: 0,
      shared: 4096,
      pinned: 0,
      unmovable: 0,
      conversions: 0,
      exits: {},
    },
    lies: 0,
    wrongViewAccesses: 0,
  };
}

function capabilities() {
  return {
    vmm: { version: '0.1.0', contract: 1 },
    host: { kernel: 'test', cpuModel: 'test', cpus: 1, memoryBytes: 2 ** 34, availableBytes: 2 ** 33 },
    kvm: { present: true, bootsLinux: true },
    features: [],
    types: vmTypes().map(({ id, tech }) => ({
      type: id,
      ways: [
        {
          execution: tech === 'none' ? 'hardware' : 'shaped',
          confidential: false,
          bootsLinux: true,
          privateMemory: 'memslots',
        },
      ],
      obstacles: [],
    })),
  };
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
