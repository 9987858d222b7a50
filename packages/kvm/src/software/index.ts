export { openSoftwareKvm, SoftwareKvm } from './kvm.ts';
export type { CompactOutcome, MoveOutcome } from './memory/index.ts';
export type { DeterministicClock, SoftwareKvmOptions } from './options.ts';
export { SoftwareVcpu } from './vcpu/vcpu.ts';
export { SoftwareVm } from './vm.ts';
