import type { TypeCapability } from '@unpin/contract';
import { type HostFeature, isConfidential, type Runner, type VmType } from '@unpin/policy';

/** One fact of this machine, found by asking it. */
export interface Feature {
  readonly id: HostFeature;
  readonly present: boolean;
  /** What was found, or what stands in the way. */
  readonly detail?: string;
}

/**
 * How a type runs on a machine with these features: the first of its runners that can, or what each of them lacks. Pure.
 * @param bootsLinux whether this machine's KVM can boot Linux at all
 */
export function typeCapability(type: VmType, features: readonly Feature[], bootsLinux: boolean): TypeCapability {
  const found = new Map(features.map((feature) => [feature.id, feature]));
  const has = (id: HostFeature) => found.get(id)?.present === true;
  const runner = type.runners.find((row) => row.built && row.requires.every(has));
  if (runner === undefined)
    return {
      type: type.id,
      available: false,
      confidential: false,
      bootsLinux: false,
      obstacles: type.runners.map((row) => obstacle(row, found)),
    };
  return {
    type: type.id,
    available: true,
    execution: runner.execution,
    confidential: isConfidential(type, runner.execution),
    bootsLinux,
    privateMemory: privateMemoryOf(type, runner, has('guest-memfd-default-vm')),
    obstacles: [],
  };
}

function obstacle(runner: Runner, found: ReadonlyMap<HostFeature, Feature>): string {
  if (!runner.built)
    return `${runner.execution}: ${runner.backend === 'software' ? 'the software KVM is not built yet' : 'not built yet'}`;
  const missing = runner.requires.filter((id) => found.get(id)?.present !== true);
  const words = missing.map((id) => {
    const detail = found.get(id)?.detail;
    return detail === undefined ? id : `${id} (${detail})`;
  });
  return `${runner.execution}: this machine has no ${words.join(', no ')}`;
}

/** Shaped private memory is a guest_memfd where ordinary VMs can have one, and a memfd else. */
function privateMemoryOf(type: VmType, runner: Runner, hasSharedGuestMemfd: boolean): string {
  if (type.memoryModel === 'memslots') return 'memslots';
  return runner.execution === 'shaped' && !hasSharedGuestMemfd ? 'memfd' : 'guest_memfd';
}
