export { snapshotOrder } from './machine/snapshot/snapshot-order.ts';
export { queryCapabilities } from './process/query-capabilities.ts';
export { type RunningVmm, type StartVmmOptions, startVmm, type VmmEnd } from './process/start-vmm.ts';
export { vmmProgram } from './program-file.ts';
