import type { Budget } from './budget.ts';
import type { ByteSource } from './byte-source.ts';

/**
 * A medium whose reads are charged to what the inspection may cost. It stands below all caches: what is read twice
 * from memory costs once. Layers that make bytes of their own (inflated clusters, zeroes) charge those themselves.
 */
export function budgetedSource(medium: ByteSource, budget: Budget): ByteSource {
  return {
    name: medium.name,
    size: medium.size,
    read: async (offset, length) => {
      budget.takeBytes(length, medium.name, offset);
      return medium.read(offset, length);
    },
  };
}
