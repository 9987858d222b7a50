import { type VcpuClock, type VmClock, writeWallClock } from '../../clock/kvm-clock.ts';
import type { U64Words } from '../../irq/index.ts';
import type { GuestBytes } from '../../memory/index.ts';
import { give, type KeptMsr, type MsrAnswer, type MsrBank } from './msr-bank.ts';

/** KVM's own MSRs (Documentation/virt/kvm/x86/msr.rst): each of the first two has an old and a new number. */
const WALL_CLOCK: readonly [number, number] = [0x11, 0x4b56_4d00];
const SYSTEM_TIME = [0x12, 0x4b56_4d01];
const [KEPT_WALL_CLOCK] = WALL_CLOCK;
const POLL_CONTROL = 0x4b56_4d05;
const WORD = 2 ** 32;

export const PARAVIRT_MSRS = [...WALL_CLOCK, ...SYSTEM_TIME, POLL_CONTROL];

export interface ParavirtMsrsOptions {
  readonly clock: VcpuClock;
  readonly vmClock: VmClock;
  readonly guest: GuestBytes;
}

/**
 * kvm-clock and the halt-polling control. MSR_KVM_MIGRATION_CONTROL isn't among them: as with the kernel's KVM it is
 * user space's, which takes it by an MSR filter.
 */
export class ParavirtMsrs implements MsrBank {
  readonly #options: ParavirtMsrsOptions;
  #wallHigh = 0;
  #wallLow = 0;
  #mayPoll = 1;

  constructor(options: ParavirtMsrsOptions) {
    this.#options = options;
  }

  read(index: number, into: U64Words): MsrAnswer {
    if (SYSTEM_TIME.includes(index)) return give(into, this.#options.clock.high, this.#options.clock.low);
    if (WALL_CLOCK.includes(index)) return give(into, this.#wallHigh, this.#wallLow);
    return index === POLL_CONTROL ? give(into, 0, this.#mayPoll) : 'unknown';
  }

  write(index: number, high: number, low: number): MsrAnswer {
    if (SYSTEM_TIME.includes(index)) {
      this.#options.clock.set(high, low);
      return 'done';
    }
    if (WALL_CLOCK.includes(index)) {
      this.#wallHigh = high;
      this.#wallLow = low;
      writeWallClock(this.#options.vmClock, this.#options.guest, high * WORD + low);
      return 'done';
    }
    if (index !== POLL_CONTROL) return 'unknown';
    // Only bit 0: whether the host may poll before it lets the vCPU sleep. It never does.
    if (high !== 0 || (low & ~1) !== 0) return 'refused';
    this.#mayPoll = low;
    return 'done';
  }

  kept(): readonly KeptMsr[] {
    return [
      [KEPT_WALL_CLOCK, this.#wallHigh, this.#wallLow],
      [POLL_CONTROL, 0, this.#mayPoll],
    ];
  }

  keep(values: readonly KeptMsr[]): void {
    for (const [index, high, low] of values)
      if (index === POLL_CONTROL) this.#mayPoll = low;
      else if (index === KEPT_WALL_CLOCK) [this.#wallHigh, this.#wallLow] = [high, low];
  }
}
