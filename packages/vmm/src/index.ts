export { queryCapabilities } from './process/query-capabilities.ts';
export { type RunningVmm, startVmm, type StartVmmOptions, type VmmEnd } from './process/start-vmm.ts';
export { vmmProgram } from './program-file.ts';
