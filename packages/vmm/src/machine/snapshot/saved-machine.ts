import type { LaunchOrder } from '@unpin/contract';
import type { SavedGuestMemory } from '@unpin/kvm/guest-memory';
import type { Board } from '../board.ts';

/** What a VMM keeps in a snapshot beside what its KVM does. Plain data. */
export interface SavedMachine {
  /** As the machine was launched; one that was restored has the order of the first. */
  readonly order: SavedOrder;
  readonly memory: SavedGuestMemory;
  readonly devices: SavedBoard;
  /** The guest has said that it may be migrated (MSR_KVM_MIGRATION_CONTROL). */
  readonly isMigrationReady: boolean;
  /** What the console has shown. */
  readonly console: Uint8Array;
  readonly kernel?: string;
  readonly privateMemory: string;
}

/** The part of an order that says what a machine is. */
export type SavedOrder = Pick<LaunchOrder, 'type' | 'regime' | 'execution' | 'memoryBytes' | 'boot'>;

export interface SavedBoard {
  readonly pio: Readonly<Record<string, object>>;
  readonly mmio: Readonly<Record<string, object>>;
  /** Typed, and not yet taken by the guest. */
  readonly typed: readonly number[];
}

export function savedOrder({ type, regime, execution, memoryBytes, boot }: LaunchOrder): SavedOrder {
  return { type, regime, execution, memoryBytes, boot };
}

export function saveBoard({ pio, mmio, serial }: Board): SavedBoard {
  return { pio: pio.save(), mmio: mmio.save(), typed: serial.save() };
}

export function restoreBoard({ pio, mmio, serial }: Board, saved: SavedBoard): void {
  pio.restore(saved.pio);
  mmio.restore(saved.mmio);
  serial.restore(saved.typed);
}
