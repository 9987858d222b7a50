export { openSoftwareKvm, SoftwareKvm } from './kvm.ts';
export type { CompactOutcome, MoveOutcome } from './memory/index.ts';
export { SnapshotError } from './memory/index.ts';
export type { DeterministicClock, SoftwareKvmOptions } from './options.ts';
export { readSnapshot, readSnapshotUser, SNAPSHOT_VERSION, writeSnapshot } from './snapshot/file.ts';
export { SnapshotFileError, type SnapshotFileProblem } from './snapshot/file-error.ts';
export type { VmSnapshot } from './snapshot/vm-snapshot.ts';
export { SoftwareVcpu } from './vcpu/vcpu.ts';
export { SoftwareVm } from './vm.ts';
