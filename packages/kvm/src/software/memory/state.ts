import type { View } from '../../port/guest-memory.ts';
import type { BackingKind } from './backing.ts';
import type { GuestAddressSpaceOptions } from './guest-address-space.ts';
import type { GuestMemfdShape } from './guest-memfd.ts';
import type { HostRangeShape } from './host-range.ts';
import type { MemoryTech } from './memory-tech.ts';

/** Frames in use, ascending, as DRAM holds them: private ones as ciphertext. */
export interface FramesState {
  /** Frame numbers: address / 4096. They are kept: ciphertext is worth nothing at another address. */
  readonly numbers: Int32Array;
  /** WRITER_*. */
  readonly writers: Uint8Array;
  /** 1 for a frame that is all zeros: it has no bytes. */
  readonly zeros: Uint8Array;
  /** The others, one after the other. */
  readonly bytes: Uint8Array;
}

/** Which page of which memory object lies in which frame. */
export interface BackingState {
  readonly id: number;
  readonly kind: BackingKind;
  readonly pages: Float64Array;
  readonly frames: Int32Array;
}

export interface HostRangeState {
  readonly shape: HostRangeShape;
  readonly backing: number;
  /** A memfd's; empty for others. */
  readonly name: string;
  readonly protected: readonly { readonly start: number; readonly end: number }[];
}

export interface GuestMemfdState {
  readonly shape: GuestMemfdShape;
  readonly backing: number;
  readonly attributes: readonly { readonly start: number; readonly end: number; readonly value: View }[];
}

/**
 * The memory of a whole host: plain data, structured-cloneable. It holds the keys, so that it is as secret as the
 * guests' memory. Pins are not in it: who holds one takes it again.
 */
export interface HostState {
  readonly frames: FramesState;
  readonly backings: readonly BackingState[];
  readonly ranges: readonly HostRangeState[];
  readonly files: readonly GuestMemfdState[];
  readonly keys: readonly (readonly [number, Uint8Array])[];
  readonly nextDescriptor: number;
}

export interface SlotState {
  readonly slot: number;
  readonly flags: number;
  readonly gpa: number;
  readonly size: number;
  readonly hva: number;
  /** -1 without a guest_memfd. */
  readonly guestMemfd: number;
  readonly guestMemfdOffset: number;
  readonly dirty: Uint8Array | null;
}

/** One VM's slots and attributes. Its files and host memory are the host's. */
export interface GuestAddressSpaceState {
  readonly vm: number;
  readonly options: GuestAddressSpaceOptions;
  readonly tech: MemoryTech;
  readonly asid: number;
  readonly slots: readonly SlotState[];
  readonly privateRuns: readonly { readonly start: number; readonly end: number }[];
}

/** What can't be saved, or can't be restored here. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}
