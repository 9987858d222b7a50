export { snapshotOrder } from './machine/snapshot/snapshot-order.ts';
export { queryCapabilities } from './process/query-capabilities.ts';
export { type RunningVmm, type StartVmmOptions, startVmm, type VmmEnd } from './process/start-vmm.ts';
export { vmmProgram } from './program-file.ts';
export { type Divergence, type Loss, type NamedLie, type Place, rootOf } from './prove/divergence.ts';
export { endText, observationsOf } from './prove/observations.ts';
export type { Proof } from './prove/proof.ts';
export { type ProveOptions, type ProveProgress, proveImage } from './prove/prove.ts';
