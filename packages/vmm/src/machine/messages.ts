import type { Ending, ErrorBody, LaunchOrder, SnapshotDone, VmState } from '@unpin/contract';
import type { KickTarget, MemoryFigures, View } from '@unpin/kvm';
import type { StopReason } from './control-block.ts';

/** What the main thread gives the machine's thread at its start; its order comes as its one message. */
export interface MachineInput {
  readonly control: SharedArrayBuffer;
  readonly consoleOut: SharedArrayBuffer;
  readonly consoleIn: SharedArrayBuffer;
  /** Of a TraceBuffer. */
  readonly trace: SharedArrayBuffer;
}

/** A conversion as it was when it happened; the symbol is looked up by whoever reads it. */
export interface ConversionRecord {
  readonly atMs: number;
  readonly gpa: number;
  readonly bytes: number;
  readonly to: View;
  readonly rip: bigint;
  readonly changedBytes: number;
  readonly discardedBytes: number;
  readonly microseconds: number;
  readonly ret: number;
}

export interface LieRecord {
  readonly atMs: number;
  readonly kind: 'consumed-other-view' | 'consumed-discarded' | 'host-use';
  readonly gpa: number;
  readonly bytes: number;
  readonly view: View;
  readonly rip: bigint;
  readonly hostUse?: string;
  readonly onHardware: string;
}

/** What the main thread wants saved, and where. Comes to a running machine as a message, with `requestSnapshot`. */
export interface SnapshotRequest {
  readonly path: string;
  /** The VM ends once it is saved. */
  readonly stop: boolean;
  /** What its console has shown. */
  readonly console: Uint8Array;
}

/** What the machine's thread tells the main thread, in order. */
export type MachineMessage =
  | {
      readonly kind: 'state';
      readonly atMs: number;
      readonly state: VmState;
      readonly regimeOf: LaunchOrder['type'];
    }
  | { readonly kind: 'event'; readonly atMs: number; readonly what: string; readonly progress?: number }
  | {
      readonly kind: 'facts';
      readonly kernel?: string;
      readonly cBit: number | null;
      readonly privateMemory: string;
    }
  | { readonly kind: 'kick-target'; readonly target: KickTarget }
  | { readonly kind: 'pinned'; readonly milliseconds: number }
  | { readonly kind: 'first-instruction'; readonly atMs: number }
  | { readonly kind: 'conversions'; readonly records: readonly ConversionRecord[] }
  | { readonly kind: 'lies'; readonly records: readonly LieRecord[] }
  | { readonly kind: 'figures'; readonly seq: number; readonly memory: MemoryFigures }
  | { readonly kind: 'probation'; readonly text: string }
  | { readonly kind: 'snapshot'; readonly outcome: SnapshotDone | ErrorBody }
  | { readonly kind: 'restored-console'; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly how: MachineEnding };

/** How a machine ended, before the main thread knows the console's last words. */
export type MachineEnding =
  | { readonly reason: 'power-off' | 'reboot'; readonly detail?: string }
  | { readonly reason: 'requested'; readonly stop: Exclude<StopReason, 'none'>; readonly rip: bigint }
  | { readonly reason: 'crashed' | 'lie'; readonly detail: string; readonly rip: bigint }
  | { readonly reason: 'failed'; readonly error: ErrorBody };

/** Endings that a program outside is told. */
export type { Ending };
