import type { controlRoutes } from '@unpin/contract';
import type { Handlers } from '@unpin/contract/server';
import { vmTypes } from '@unpin/policy';
import type { Services } from '../../services.ts';
import { listHosts } from '../../store/hosts.ts';
import { vmTypeView } from '../views/vm-type-view.ts';

/** What VM types there are: an answer that changes nothing and is not audited. */
export function vmTypeHandlers({ store }: Services): Pick<Handlers<typeof controlRoutes>, 'listVmTypes'> {
  return {
    listVmTypes: async () => {
      const hosts = await store.read(listHosts);
      return { types: vmTypes().map((type) => vmTypeView(type, hosts)) };
    },
  };
}
