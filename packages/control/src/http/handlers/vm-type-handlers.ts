import type { controlRoutes, DecisionMessage } from '@unpin/contract';
import type { Handlers } from '@unpin/contract/server';
import { decide, vmTypes } from '@unpin/policy';
import { readyImage, typeOf } from '../../launch/plan-launch.ts';
import type { Services } from '../../services.ts';
import { listHosts } from '../../store/hosts.ts';
import { findImage } from '../../store/images.ts';
import { vmTypeView } from '../views/vm-type-view.ts';

/** What VM types there are, and what images may have which: answers that change nothing and are not audited. */
export function vmTypeHandlers({ store }: Services): Pick<Handlers<typeof controlRoutes>, 'listVmTypes' | 'admit'> {
  return {
    listVmTypes: async () => {
      const hosts = await store.read(listHosts);
      return { types: vmTypes().map((type) => vmTypeView(type, hosts)) };
    },

    admit: async ({ body }) => {
      const type = typeOf(body.type);
      const { verdict } = readyImage(body.image, await store.read((db) => findImage(db, body.image)));
      return decide(type, verdict, body.waiver) as DecisionMessage;
    },
  };
}
