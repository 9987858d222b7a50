export { ACCESS, type Resolved, type ResolvedKind } from './access.ts';
export { Descriptors } from './descriptors.ts';
export { EncryptedRegions } from './encrypted-regions.ts';
export {
  GuestAddressSpace,
  type GuestAddressSpaceOptions,
  type MappingListener,
} from './guest-address-space.ts';
export { GuestBytes } from './guest-bytes.ts';
export { SoftwareGuestMemfd } from './guest-memfd.ts';
export { allowedGuestMemfdFlags } from './guest-memfds.ts';
export { Host, type HostOptions } from './host.ts';
export { HostAddressSpace } from './host-address-space.ts';
export { KEY_BYTES, KeyRing, type KeySource } from './key-ring.ts';
export { NR_MEMSLOTS } from './memory-region-rules.ts';
export type { MemoryTech } from './memory-tech.ts';
export { type CompactOutcome, type MoveOutcome, Mover, type Random } from './mover.ts';
export { OutOfFramesError } from './out-of-frames.ts';
export { FRAME_BYTES, type FrameListener, type PhysicalFigures, PhysicalMemory } from './physical-memory.ts';
export { type HeldFrames, type MemlockLimit, Pins } from './pins.ts';
export { restoreGuestAddressSpace, restoreHost, saveGuestAddressSpace, saveHost } from './snapshot.ts';
export { type GuestAddressSpaceState, type HostState, SnapshotError } from './state.ts';
export { RAW, Views } from './views.ts';
