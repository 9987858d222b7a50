export * from './constants.ts';
export * from './ioctls.ts';
export * from './run-struct.ts';
export * from './sev-constants.ts';
export * from './sev-structs.ts';
export * from './struct.ts';
export * from './vcpu-structs.ts';
export * from './vm-structs.ts';
