import type { VmClock } from './clock/kvm-clock.ts';
import type { TimeSource } from './clock/time.ts';
import type { EventWords, InterruptControllers } from './irq/index.ts';
import type { GuestAddressSpace, GuestBytes, Host } from './memory/index.ts';
import type { SevVm } from './sev/sev-vm.ts';
import type { Core } from './vcpu/core.ts';
import type { VmSettings } from './vm-settings.ts';

/** What a VM consists of, for its vCPUs. */
export interface VmParts {
  readonly type: number;
  readonly host: Host;
  readonly space: GuestAddressSpace;
  /** KVM's own reads and writes of guest memory. */
  readonly guest: GuestBytes;
  readonly controllers: InterruptControllers;
  readonly time: TimeSource;
  readonly clock: VmClock;
  readonly sev: SevVm;
  readonly settings: VmSettings;
  readonly eventWords: EventWords;
  readonly core: () => Core;
  /** Frequency of the processor's time-stamp counter. */
  readonly tscKhz: number;
  /** 64 random bits, not 0: where a vCPU's RDRAND begins. */
  readonly randomSeed: () => bigint;
}
