import type { Capabilities, Registration, TypeCapability } from '@unpin/contract';
import { vmTypes } from '@unpin/policy';

export const GIB = 2 ** 30;

/** What a machine without SEV and with a KVM that can boot Linux offers. */
export function capabilities(change: (type: TypeCapability) => Partial<TypeCapability> = () => ({})): Capabilities {
  return {
    vmm: { version: '0.1.0', contract: 1 },
    host: { kernel: '6.12', cpuModel: 'test', cpus: 2, memoryBytes: 16 * GIB, availableBytes: 8 * GIB },
    kvm: { present: true, engine: 'svm', bootsLinux: true },
    features: [],
    types: vmTypes().map((type) => {
      const shaped = type.runners.some((runner) => runner.execution === 'shaped' && runner.built);
      const available = type.tech === 'none' || shaped;
      const offer: TypeCapability = {
        type: type.id,
        ways: available ? [way(type.tech === 'none' ? 'hardware' : 'shaped')] : [],
        obstacles: available ? [] : [`this processor has no ${type.tech}`],
      };
      return Object.assign(offer, change(offer));
    }),
  };
}

type Way = TypeCapability['ways'][number];

export function way(execution: Way['execution'], change: Partial<Way> = {}): Way {
  return { execution, confidential: false, bootsLinux: true, privateMemory: 'memfd', ...change };
}

export function registration(offered: Capabilities = capabilities()): Registration {
  return {
    agent: { version: '0.1.0', contract: 1, pid: process.pid },
    endpoint: { socketPath: '/nonexistent/agent.sock' },
    capabilities: offered,
  };
}
