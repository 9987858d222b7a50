import type { VmTypeView } from '@unpin/contract';
import { regimeOf, type VmType } from '@unpin/policy';
import type { HostRecord } from '../../store/hosts.ts';

export function vmTypeView(type: VmType, hosts: readonly HostRecord[]): VmTypeView {
  return {
    regime: regimeOf(type),
    needs: [...type.needs],
    runners: type.runners.map((runner) => ({ ...runner, requires: [...runner.requires] })),
    disclaimer: type.disclaimer,
    hosts: hosts.flatMap(({ name, capabilities }) =>
      capabilities.types.filter((each) => each.type === type.id).map((capability) => ({ host: name, capability })),
    ),
  };
}
