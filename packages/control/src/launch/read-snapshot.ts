import type { CreateVm } from '@unpin/contract';
import type { Presence } from '../hosts/presence.ts';
import type { HostSnapshot } from '../placement/host-snapshot.ts';
import { listHosts } from '../store/hosts.ts';
import { findImage } from '../store/images.ts';
import type { Db } from '../store/store.ts';
import { findVm, pinnedByHost } from '../store/vms.ts';
import type { LaunchSnapshot } from './plan-launch.ts';

export async function readLaunchSnapshot(
  db: Db,
  request: CreateVm,
  presence: Presence,
  now: number,
): Promise<LaunchSnapshot> {
  const pinned = await pinnedByHost(db);
  const hosts = await listHosts(db);
  return {
    image: await findImage(db, request.image),
    nameTaken: (await findVm(db, request.name)) !== undefined,
    hosts: hosts.map((host): HostSnapshot => {
      const sign = presence.of(host.name, now);
      return {
        name: host.name,
        epoch: host.epoch,
        up: sign.up,
        capabilities: host.capabilities,
        availableBytes: sign.availableBytes ?? host.capabilities.host.availableBytes,
        pinnedBytes: pinned.get(host.name) ?? 0,
      };
    }),
  };
}
