import { type SnapshotDone, type TakeSnapshot, vmmRoutes } from '@unpin/contract';
import { registerRoutes, useCatalogueErrors } from '@unpin/contract/server';
import fastify from 'fastify';
import type { Symbols } from '../symbols/symbols.ts';
import type { TraceDesk } from '../trace/trace-desk.ts';
import type { VmRecord } from './record.ts';

/** What the API asks of the process. */
export interface ApiSource {
  readonly record: VmRecord;
  readonly symbols: Symbols;
  readonly traces: TraceDesk;
  /** Gets fresh figures into the record, or gives up soon. */
  readonly refreshFigures: () => Promise<void>;
  /** @throws UnpinError SNAPSHOT_UNAVAILABLE, FILE_* */
  readonly takeSnapshot: (request: TakeSnapshot) => Promise<SnapshotDone>;
  /** Ends the guest; resolves when its memory has been given back. */
  readonly stop: () => Promise<void>;
}

export interface ApiServer {
  close(): Promise<void>;
}

/** The VM's API on a Unix socket. Loads Fastify: import this file only when it is needed. */
export async function serveApi(source: ApiSource, socketPath: string): Promise<ApiServer> {
  const { record, symbols, traces } = source;
  const app = fastify({ forceCloseConnections: 'idle' });
  // A connection that is kept would keep the process for its time-out when the VM has ended.
  app.addHook('onSend', async (_request, reply) => void reply.header('connection', 'close'));
  useCatalogueErrors(app);
  registerRoutes(app, vmmRoutes, {
    getVm: async () => {
      await source.refreshFigures();
      return record.report();
    },
    listEvents: async ({ query }) => ({ events: [...record.events.since(query.since ?? 0)] }),
    listConversions: async ({ query }) => {
      const found = record.conversions.since(query.since ?? 0);
      await symbols.learn(found.map((entry) => entry.rip));
      return {
        total: record.conversions.total,
        conversions: found.map((entry) => record.conversionMessage(entry, symbols.nameOf)),
      };
    },
    listLies: async ({ query }) => {
      const found = record.lies.since(query.since ?? 0);
      await symbols.learn(found.map((entry) => entry.rip));
      return { total: record.lies.total, lies: found.map((entry) => record.lieMessage(entry, symbols.nameOf)) };
    },
    startTrace: async ({ body }) => traces.start(body),
    readTrace: async ({ params: { trace }, query }, { signal }) =>
      await traces.read(trace, query.since, query.waitMs ?? 0, signal),
    endTrace: async ({ params: { trace }, query }, { signal }) => await traces.end(trace, query.since, signal),
    takeSnapshot: async ({ body }) => await source.takeSnapshot(body),
    stopVm: async () => {
      await source.stop();
      return record.report();
    },
  });
  await app.listen({ path: socketPath });
  return { close: () => app.close() };
}
