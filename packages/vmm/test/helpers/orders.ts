import type { LaunchOrder } from '@unpin/contract';
import { type Execution, regimeOf, type VmTypeId, vmType } from '@unpin/policy';
import type { Flavour } from '../../probe/layout.ts';

export const MIB = 1024 * 1024;

/** A probe's launch order, as a control plane of this version would write it. */
export function probeOrder(
  type: VmTypeId,
  execution: Execution,
  flavour: Flavour,
  more: Partial<LaunchOrder> = {},
): LaunchOrder {
  return {
    contract: 1,
    name: 'probe',
    type,
    regime: regimeOf(vmType(type)),
    execution,
    memoryBytes: 64 * MIB,
    boot: { kind: 'probe', flavour },
    timeoutMs: 300_000,
    ...more,
  };
}
