import type { hostRoutes } from '@unpin/contract';
import type { Handlers } from '@unpin/contract/server';
import { hostWork } from '../../hosts/host-work.ts';
import { HEARTBEAT_MS, LEASE_MS } from '../../hosts/presence.ts';
import { takeInspection } from '../../hosts/take-inspection.ts';
import { takeRegistration } from '../../hosts/take-registration.ts';
import { takeStatus } from '../../hosts/take-status.ts';
import type { Services } from '../../services.ts';
import { hasWorkSince } from '../../store/changes.ts';
import { fencedHost } from '../../store/hosts.ts';

/** What agents say and ask. Each call is a sign of life, and is fenced by the epoch of its registration. */
export function hostHandlers(services: Services): Handlers<typeof hostRoutes> {
  const { store, presence, now, ending } = services;
  return {
    registerHost: async ({ params: { host }, body }) => {
      const epoch = await store.write((db) => takeRegistration(db, host, body, now()));
      presence.heartbeat(host, now(), body.capabilities.host.availableBytes, []);
      return { epoch, heartbeatMs: HEARTBEAT_MS, leaseMs: LEASE_MS };
    },

    heartbeat: async ({ params: { host }, query, body }) => {
      await store.read((db) => fencedHost(db, host, query.epoch));
      presence.heartbeat(host, now(), body.availableBytes, body.strays);
      return {};
    },

    watchWork: async ({ params: { host }, query: { epoch, since, waitMs } }, { signal }) => {
      const stop = AbortSignal.any([signal, ending]);
      const until = now() + waitMs;
      for (;;) {
        // Read before the look: a ring in between is then not missed but answered by the next look at once.
        const seen = store.doorbell.revision;
        const news = await store.read(async (db) => {
          await fencedHost(db, host, epoch);
          return since === 0 || (await hasWorkSince(db, host, since));
        });
        presence.alive(host, now());
        const left = until - now();
        if (news || left <= 0 || stop.aborted) return store.read((db) => hostWork(db, host));
        if (store.doorbell.revision === seen) await store.doorbell.heard(left, stop);
      }
    },

    putInspection: async ({ params: { host, image }, query, body }) => {
      await store.write((db) => takeInspection(db, { host, epoch: query.epoch, image, result: body, at: now() }));
      presence.alive(host, now());
      return {};
    },

    putVmStatus: async ({ params: { host, uid }, query, body }) => {
      await store.write((db) => takeStatus(db, { host, epoch: query.epoch, uid, status: body, at: now() }));
      presence.alive(host, now());
      return {};
    },
  };
}
