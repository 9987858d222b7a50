import { existsSync } from 'node:fs';
import { release } from 'node:os';
import type { BackendInfo } from '../port/kvm.ts';

/** Which module serves /dev/kvm, by its name under /sys/module. */
const ENGINES = [
  ['kvm_amd', 'svm'],
  ['kvm_intel', 'vmx'],
  ['kvm_pvm', 'pvm'],
] as const;

/** What stands behind /dev/kvm: the running kernel and the first engine whose module is there. */
export function describeBackend(): BackendInfo {
  const engine = ENGINES.find(([module]) => existsSync(`/sys/module/${module}`))?.[1] ?? 'unknown';
  return { backend: 'linux', kernel: release(), engine };
}
