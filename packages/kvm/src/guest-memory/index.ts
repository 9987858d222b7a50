export { createGuestMemory, type GuestMemoryOptions, MemoryModelNotBuilt } from './create.ts';
export * from './lie.ts';
export * from './model.ts';
export { hostUseOnHardware } from './on-hardware.ts';
export { hasSharedGuestMemfd } from './open-sides.ts';
export { type RestoreGuestMemoryOptions, restoreGuestMemory } from './restore.ts';
export type { SavedGuestMemory } from './saved.ts';
