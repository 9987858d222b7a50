import type { controlRoutes } from '@unpin/contract';
import type { Handlers } from '@unpin/contract/server';
import type { Services } from '../../services.ts';
import { CONTRACT_VERSION, VERSION } from '../../version.ts';

export function healthHandlers({ store }: Services): Pick<Handlers<typeof controlRoutes>, 'getHealth'> {
  return {
    getHealth: async () => ({
      version: VERSION,
      contract: CONTRACT_VERSION,
      pid: process.pid,
      revision: store.doorbell.revision,
      database: { path: store.where, ...store.state() },
    }),
  };
}
