export { firmwareErrorName } from '../uapi/sev-errors.ts';
export * from './guest-state.ts';
export type { SevTarget } from './issue.ts';
export * from './launch.ts';
export * from './policy.ts';
export * from './sev-commands.ts';
export * from './sev-device.ts';
export * from './snp-commands.ts';
