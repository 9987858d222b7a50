export { openSoftwareKvm, SoftwareKvm } from './kvm.ts';
export type { AccessObserver, CompactOutcome, MoveOutcome } from './memory/index.ts';
export type { DeterministicClock, SoftwareKvmOptions } from './options.ts';
export { SoftwareVm } from './vm.ts';
