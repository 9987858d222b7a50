import { type controlRoutes, UnpinError } from '@unpin/contract';
import type { Handlers } from '@unpin/contract/server';
import type { Services } from '../../services.ts';
import { listAudit } from '../../store/audit.ts';
import { changesSince } from '../../store/changes.ts';
import { findHost, listHosts } from '../../store/hosts.ts';
import { hostView } from '../views/host-view.ts';

type Names = 'listHosts' | 'getHost' | 'listAudit' | 'watch';

const AUDIT_PAGE = 100;

/** Hosts, the audit log and the change log, for people and their programs. */
export function fleetHandlers(services: Services): Pick<Handlers<typeof controlRoutes>, Names> {
  const { store, presence, now, ending } = services;
  return {
    listHosts: async () => ({
      hosts: (await store.read(listHosts)).map((host) => hostView(host, presence.of(host.name, now()))),
    }),

    getHost: async ({ params: { name } }) => {
      const host = await store.read((db) => findHost(db, name));
      if (host === undefined) throw new UnpinError('NOT_FOUND', { subject: `host ${name}`, next: 'unpin vm-types' });
      return hostView(host, presence.of(name, now()));
    },

    listAudit: async ({ query }) => ({
      records: await store.read((db) => listAudit(db, query.since ?? 0, query.limit ?? AUDIT_PAGE)),
    }),

    watch: async ({ query }, { signal }) => {
      const since = query.since ?? 0;
      if (store.doorbell.revision === since)
        await store.doorbell.heard(query.waitMs ?? 0, AbortSignal.any([signal, ending]));
      return store.read((db) => changesSince(db, since));
    },
  };
}
