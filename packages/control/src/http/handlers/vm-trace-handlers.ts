import type { controlRoutes } from '@unpin/contract';
import type { Handlers } from '@unpin/contract/server';
import type { Services } from '../../services.ts';
import { appendAudit } from '../../store/audit.ts';
import { LOCAL } from '../actor.ts';
import { askHost, existingVm, heard } from '../ask-agent.ts';

type Names = 'startVmTrace' | 'readVmTrace' | 'endVmTrace';

/** Milliseconds for an answer: the VMM waits for events, and looks up symbols in the guest's kernel. */
const ANSWER_MS = 10_000;

/** A VM is traced by its VMM; the control plane carries questions and answers, and writes down that someone looked. */
export function vmTraceHandlers(services: Services): Pick<Handlers<typeof controlRoutes>, Names> {
  const { store, now } = services;
  return {
    startVmTrace: async ({ params: { name }, body }) => {
      const vm = await existingVm(services, name);
      const { uid } = vm;
      const started = heard(
        await askHost(services, vm, (agent) => agent.startVmTrace({ params: { uid }, body }, { timeoutMs: ANSWER_MS })),
      );
      const record = { at: now(), actor: LOCAL, action: 'vm.trace', subject: name, outcome: 'done' } as const;
      await store.write((db) => appendAudit(db, { ...record, detail: { uid, ...body } }));
      return started;
    },

    readVmTrace: async ({ params: { name, trace }, query }, { signal }) => {
      const vm = await existingVm(services, name);
      const params = { uid: vm.uid, trace };
      return heard(
        await askHost(services, vm, (agent) => agent.readVmTrace({ params, query }, { timeoutMs: ANSWER_MS, signal })),
      );
    },

    endVmTrace: async ({ params: { name, trace }, query }) => {
      const vm = await existingVm(services, name);
      const params = { uid: vm.uid, trace };
      return heard(
        await askHost(services, vm, (agent) => agent.endVmTrace({ params, query }, { timeoutMs: ANSWER_MS })),
      );
    },
  };
}
