import type { controlRoutes } from '@unpin/contract';
import type { Handlers } from '@unpin/contract/server';
import type { Services } from '../../services.ts';
import { askHost, existingVm, heard } from '../ask-agent.ts';

type Names = 'listVmEvents' | 'listVmConversions' | 'listVmLies';

/** A VM's journals live in its VMM process: they are asked from its host, and end with it. */
export function vmJournalHandlers(services: Services): Pick<Handlers<typeof controlRoutes>, Names> {
  return {
    listVmEvents: async ({ params, query }) => {
      const vm = await existingVm(services, params.name);
      const { uid } = vm;
      return heard(await askHost(services, vm, (agent, o) => agent.listVmEvents({ params: { uid }, query }, o)));
    },
    listVmConversions: async ({ params, query }) => {
      const vm = await existingVm(services, params.name);
      const { uid } = vm;
      return heard(await askHost(services, vm, (agent, o) => agent.listVmConversions({ params: { uid }, query }, o)));
    },
    listVmLies: async ({ params, query }) => {
      const vm = await existingVm(services, params.name);
      const { uid } = vm;
      return heard(await askHost(services, vm, (agent, o) => agent.listVmLies({ params: { uid }, query }, o)));
    },
  };
}
