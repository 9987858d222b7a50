import { agentRoutes, UnpinError } from '@unpin/contract';
import { registerRoutes, useCatalogueErrors } from '@unpin/contract/server';
import { type FastifyInstance, fastify } from 'fastify';
import type { Reconciler } from '../vms/reconciler.ts';
import type { VmKeeper } from '../vms/vm-keeper.ts';

/** What an agent answers to its control plane, on a Unix socket of its own user. */
export function buildAgentApp(reconciler: Reconciler): FastifyInstance {
  const app = fastify({ forceCloseConnections: true, bodyLimit: 65_536 });
  useCatalogueErrors(app);
  registerRoutes(app, agentRoutes, {
    getVmStatus: ({ params: { uid } }) => existing(reconciler, uid).statusNow(),
    listVmEvents: ({ params: { uid }, query: { since = 0 } }) => existing(reconciler, uid).journals.events(since),
    listVmConversions: ({ params: { uid }, query: { since = 0 } }) =>
      existing(reconciler, uid).journals.conversions(since),
    listVmLies: ({ params: { uid }, query: { since = 0 } }) => existing(reconciler, uid).journals.lies(since),
    startVmTrace: ({ params: { uid }, body }) => existing(reconciler, uid).traces.start({ body }),
    readVmTrace: ({ params: { uid, trace }, query }, { signal }) =>
      existing(reconciler, uid).traces.read({ params: { trace }, query }, signal),
    endVmTrace: ({ params: { uid, trace }, query }) =>
      existing(reconciler, uid).traces.end({ params: { trace }, query }),
  });
  return app;
}

/** A VM of this host, also one that is over: its directory is there until it is deleted. */
function existing(reconciler: Reconciler, uid: string): VmKeeper {
  const keeper = reconciler.keeper(uid);
  if (keeper === undefined) throw new UnpinError('NOT_FOUND', { subject: `VM ${uid} on this host` });
  return keeper;
}
