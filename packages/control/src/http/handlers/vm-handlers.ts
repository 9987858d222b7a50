import { type controlRoutes, UnpinError } from '@unpin/contract';
import type { Handlers } from '@unpin/contract/server';
import { launch } from '../../launch/launch.ts';
import type { Services } from '../../services.ts';
import { appendAudit } from '../../store/audit.ts';
import { appendChange } from '../../store/changes.ts';
import type { Db } from '../../store/store.ts';
import { deleteVm, findVm, isOver, listVms, setDesired, type VmRecord } from '../../store/vms.ts';
import { LOCAL } from '../actor.ts';
import { askHost, existingVm, noVm } from '../ask-agent.ts';
import { vmView } from '../views/vm-view.ts';

type Names = 'listVms' | 'getVm' | 'createVm' | 'stopVm' | 'deleteVm';

export function vmHandlers(services: Services): Pick<Handlers<typeof controlRoutes>, Names> {
  const { store, now } = services;
  return {
    listVms: async () => ({ vms: (await store.read(listVms)).map((vm) => vmView(vm)) }),

    getVm: async ({ params }) => {
      const vm = await existingVm(services, params.name);
      if (isOver(vm.state)) return vmView(vm);
      return vmView(vm, await statusNow(services, vm));
    },

    createVm: async ({ body }) => vmView(await launch(services, body, LOCAL)),

    stopVm: ({ params: { name } }) =>
      store.write(async (db) => {
        const vm = await stored(db, name);
        if (isOver(vm.state) || vm.desired === 'stopped') return vmView(vm);
        const at = now();
        await setDesired(db, vm.uid, 'stopped');
        await appendAudit(db, { at, actor: LOCAL, action: 'vm.stop', subject: name, outcome: 'done' });
        await appendChange(db, { at, kind: 'vm', name, action: 'changed', workFor: vm.host });
        return vmView({ ...vm, desired: 'stopped' });
      }),

    deleteVm: ({ params: { name } }) =>
      store.write(async (db) => {
        const vm = await stored(db, name);
        if (!isOver(vm.state))
          throw new UnpinError('CONFLICT', {
            subject: `VM ${name}`,
            found: vm.desired === 'stopped' ? `state ${vm.state}, being stopped` : `state ${vm.state}`,
            needed: 'a VM that has ended',
            next: `unpin vm stop ${name}`,
          });
        const at = now();
        await deleteVm(db, vm.uid);
        await appendAudit(db, {
          at,
          actor: LOCAL,
          action: 'vm.delete',
          subject: name,
          outcome: 'done',
          detail: { uid: vm.uid },
        });
        await appendChange(db, { at, kind: 'vm', name, action: 'deleted', workFor: vm.host });
        return vmView(vm);
      }),
  };
}

/** The host's word of this moment; undefined where the last one must do. */
async function statusNow(services: Services, vm: VmRecord) {
  try {
    const asked = await askHost(services, vm, (agent, options) =>
      agent.getVmStatus({ params: { uid: vm.uid } }, options),
    );
    return 'answer' in asked ? asked.answer : undefined;
  } catch (error) {
    // The agent does not have it yet, or no longer: what is stored says which.
    if (error instanceof UnpinError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

async function stored(db: Db, name: string): Promise<VmRecord> {
  const vm = await findVm(db, name);
  if (vm === undefined) throw noVm(name);
  return vm;
}
