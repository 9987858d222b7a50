import type { TypeCapability } from '@unpin/contract';
import { type HostFeature, isConfidential, type Runner, type VmType } from '@unpin/policy';

/** One fact of this machine, found by asking it. */
export interface Feature {
  readonly id: HostFeature;
  readonly present: boolean;
  /** What was found, or what stands in the way. */
  readonly detail?: string;
}

/** What can boot Linux here. */
export interface BootsLinux {
  readonly linux: boolean;
  readonly software: boolean;
}

/** How a type runs on a machine with these features: its runners that can, and what each of the others lacks. Pure. */
export function typeCapability(type: VmType, features: readonly Feature[], boots: BootsLinux): TypeCapability {
  const found = new Map(features.map((feature) => [feature.id, feature]));
  const has = (id: HostFeature) => found.get(id)?.present === true;
  const can = (row: Runner) => row.built && row.requires.every(has);
  return {
    type: type.id,
    ways: type.runners.filter(can).map((row) => ({
      execution: row.execution,
      confidential: isConfidential(type, row.execution),
      bootsLinux: boots[row.backend],
      privateMemory: privateMemoryOf(type, row, has('guest-memfd-default-vm')),
    })),
    obstacles: type.runners.filter((row) => !can(row)).map((row) => obstacle(row, found)),
  };
}

function obstacle(runner: Runner, found: ReadonlyMap<HostFeature, Feature>): string {
  if (!runner.built) return `${runner.execution}: not built yet`;
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
