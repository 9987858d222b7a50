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
    listVmEvents: ({ params: { uid }, query }) =>
      journal(existing(reconciler, uid), (vmm) => vmm.listEvents({ query })),
    listVmConversions: ({ params: { uid }, query }) =>
      journal(existing(reconciler, uid), (vmm) => vmm.listConversions({ query })),
    listVmLies: ({ params: { uid }, query }) => journal(existing(reconciler, uid), (vmm) => vmm.listLies({ query })),
  });
  return app;
}

function existing(reconciler: Reconciler, uid: string): VmKeeper {
  const keeper = reconciler.keeper(uid);
  if (keeper === undefined) throw new UnpinError('NOT_FOUND', { subject: `VM ${uid} on this host` });
  return keeper;
}

/** A VM's journals are its VMM's: they begin when it listens, and end with it. */
async function journal<T>(keeper: VmKeeper, ask: (vmm: VmKeeper['vmm']) => Promise<T>): Promise<T> {
  try {
    return await ask(keeper.vmm);
  } catch (error) {
    if (!(error instanceof UnpinError) || error.code !== 'SERVER_UNREACHABLE') throw error;
    throw new UnpinError('CONFLICT', {
      subject: `VM ${keeper.uid}`,
      found: 'no VMM that answers',
      needed: 'a VM that runs',
      cause: error,
    });
  }
}
