import type { HostView } from '@unpin/contract';
import type { Sign } from '../../hosts/presence.ts';
import type { HostRecord } from '../../store/hosts.ts';

export function hostView(host: HostRecord, sign: Sign): HostView {
  return {
    name: host.name,
    state: sign.up ? 'up' : 'lost',
    epoch: host.epoch,
    agent: host.agent,
    capabilities: host.capabilities,
    registeredAt: new Date(host.registeredAt).toISOString(),
    ...(sign.lastSeenAt === undefined ? {} : { lastSeenAt: new Date(sign.lastSeenAt).toISOString() }),
    availableBytes: sign.availableBytes ?? host.capabilities.host.availableBytes,
    strays: [...sign.strays],
  };
}
