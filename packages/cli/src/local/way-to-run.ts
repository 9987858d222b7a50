import { UnpinError } from '@unpin/contract';
import { chooseWay, type Execution, type VmType, type Way } from '@unpin/policy';
import { queryCapabilities } from '@unpin/vmm';
import type { KvmChoice } from '../commands/run.ts';

/** Which executions each KVM stands for. */
const RUN_BY: Readonly<Record<KvmChoice, readonly Execution[]>> = {
  auto: ['hardware', 'shaped', 'emulated'],
  linux: ['hardware', 'shaped'],
  software: ['emulated'],
};

/**
 * How this machine runs a VM type, by the KVM that was asked for.
 * @throws UnpinError VM_TYPE_UNAVAILABLE, VM_TYPE_NOT_BUILT, KVM_TOO_SLOW
 */
export async function wayToRun(
  type: VmType,
  { kvm, linux }: { readonly kvm: KvmChoice; readonly linux: boolean },
): Promise<Way> {
  const capabilities = await queryCapabilities();
  const capability = capabilities.types.find((t) => t.type === type.id);
  const ways = (capability?.ways ?? []).filter((way) => RUN_BY[kvm].includes(way.execution));
  if (ways.length === 0)
    throw new UnpinError(type.runners.some((r) => r.built) ? 'VM_TYPE_UNAVAILABLE' : 'VM_TYPE_NOT_BUILT', {
      subject: type.id,
      found: capability?.obstacles.join('; ') ?? 'nothing known',
      next: 'unpin run … --test-host, or unpin doctor',
    });
  const way = chooseWay(ways, { allow: RUN_BY.auto, linux });
  if (way !== undefined) return way;
  throw new UnpinError('KVM_TOO_SLOW', {
    subject: `${capabilities.kvm.engine ?? 'this'} KVM`,
    found: describeKvm(capabilities.kvm),
    needed: 'a KVM with SVM or VMX',
    next: 'unpin run … --test-host runs it inside a test host with a real kvm_amd (unpin test-host fetch gets its parts)',
  });
}

function describeKvm(kvm: { readonly hypercallsExit?: boolean; readonly ringZeroMips?: number }): string {
  return [
    kvm.hypercallsExit === false ? 'hypercalls never reach the VMM' : undefined,
    kvm.ringZeroMips === undefined ? undefined : `ring 0 runs at ${kvm.ringZeroMips.toPrecision(2)} MIPS`,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}
