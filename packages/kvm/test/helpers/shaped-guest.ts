import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { HostUse, Lie } from '../../src/guest-memory/index.ts';
import { openLinuxKvm } from '../../src/linux/index.ts';
import type { ConversionOutcome, MemoryFigures, View } from '../../src/port/index.ts';

/** What the guest does, one step after the other. `call` stops it for the host's action of that number. */
export type GuestStep =
  | {
      readonly do: 'write';
      readonly view: View;
      readonly gpa: number;
      readonly value: number;
      readonly size: 1 | 8 | 16;
    }
  | { readonly do: 'read'; readonly view: View; readonly gpa: number }
  | { readonly do: 'fill'; readonly view: View; readonly gpa: number; readonly bytes: number; readonly value: number }
  | { readonly do: 'exchange'; readonly view: View; readonly gpa: number; readonly value: number }
  /** Calls code that the guest has written there. */
  | { readonly do: 'execute'; readonly view: View; readonly gpa: number }
  | { readonly do: 'call'; readonly action: number };

export type HostAction =
  | { readonly do: 'convert'; readonly gpa: number; readonly size: number; readonly to: View }
  | { readonly do: 'use'; readonly gpa: number; readonly size: number; readonly what: HostUse }
  | { readonly do: 'figures' };

export interface ShapedGuestJob {
  readonly type: 'sev' | 'sev-deferred' | 'sev-upm';
  readonly ramBytes: number;
  /** Ring 3 runs natively where ring 0 is emulated (software-paging KVM). */
  readonly privilege: 0 | 3;
  readonly privateSide: 'guest_memfd' | 'memfd';
  readonly steps: readonly GuestStep[];
  readonly actions: readonly HostAction[];
}

export interface ShapedGuestResult {
  /** Why it stopped: `done` when all steps ran, else the exit. */
  readonly end: string;
  /** Bits 31:0 of what each `read` and `exchange` got, in order. */
  readonly reads: readonly number[];
  readonly lies: readonly Lie[];
  readonly wrongViews: number;
  readonly outcomes: readonly ConversionOutcome[];
  readonly figures: readonly MemoryFigures[];
  readonly mmioExits: number;
  /** Internal errors after which the memory gave up its traps and the guest ran on. */
  readonly relaxed: number;
  readonly memslots: number;
  /** Granules pinned because they were touched (sev-deferred). */
  readonly pinnedGranules: number;
}

const LIMIT_MS = 60_000;

/** False, or why no guest can run here. */
export function noGuestHere(): string | false {
  if (!existsSync('/dev/kvm')) return 'no /dev/kvm on this machine';
  try {
    openLinuxKvm().close();
    return false;
  } catch (error) {
    return `/dev/kvm can't be opened: ${String(error)}`;
  }
}

/** Runs a guest in a thread of its own. A run that takes too long is kicked out and ends as `intr`. */
export async function runShapedGuest(job: ShapedGuestJob): Promise<ShapedGuestResult> {
  const worker = new Worker(new URL('./shaped-guest-worker.ts', import.meta.url), { workerData: job });
  const kvm = openLinuxKvm();
  let watchdog: NodeJS.Timeout | undefined;
  try {
    return await new Promise<ShapedGuestResult>((resolve, reject) => {
      worker.on('message', (message) => {
        if ('end' in message) resolve(message);
        else {
          const kicker = kvm.openKicker(message);
          // Repeated: a kick ends one run only.
          watchdog = setTimeout(() => (watchdog = setInterval(() => kicker.kick(), 100)), LIMIT_MS);
        }
      });
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error("the guest's thread ended without a result")));
    });
  } finally {
    clearInterval(watchdog);
    await worker.terminate();
    kvm.close();
  }
}
