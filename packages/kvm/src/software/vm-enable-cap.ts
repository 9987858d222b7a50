import type { U64 } from '../port/u64.ts';
import { ERRNO, failure } from '../sys/errno.ts';
import { CAPS } from '../uapi/constants.ts';
import {
  DISABLE_EXITS_MASK,
  EXIT_HYPERCALL_MASK,
  MAX_RESERVED_PINS,
  MAX_VCPU_IDS,
  MSR_EXIT_MASK,
  QUIRKS_MASK,
  X2APIC_API_MASK,
} from './capabilities.ts';
import type { InterruptControllers } from './irq/index.ts';
import type { VmSettings } from './vm-settings.ts';

const refuse = (why: string) => failure('KVM_ENABLE_CAP', ERRNO.EINVAL, why);

/** What KVM_ENABLE_CAP of a VM changes. */
export interface EnableCapTarget {
  readonly settings: VmSettings;
  readonly controllers: InterruptControllers;
}

/** KVM_ENABLE_CAP on a VM (API document, 7). KvmError EINVAL: flags, a capability that isn't enabled, an unknown bit. */
export function enableVmCap(target: EnableCapTarget, cap: number, args: readonly U64[], flags: number): void {
  if (args.length > 4) throw new RangeError(`KVM_ENABLE_CAP takes at most 4 arguments, not ${args.length}`);
  if (flags !== 0) throw refuse('flags');
  const argument = BigInt.asUintN(64, BigInt(args[0] ?? 0));
  const masked = (known: number): number => {
    if ((argument & ~BigInt(known >>> 0)) !== 0n) throw refuse(`bits beyond ${known.toString(16)}`);
    return Number(argument);
  };
  const { settings, controllers } = target;
  switch (cap) {
    case CAPS.KVM_CAP_DISABLE_QUIRKS:
      settings.disabledQuirks = Number(argument & BigInt(QUIRKS_MASK));
      return;
    case CAPS.KVM_CAP_DISABLE_QUIRKS2:
      settings.disabledQuirks = masked(QUIRKS_MASK);
      return;
    case CAPS.KVM_CAP_SPLIT_IRQCHIP:
      if (argument > BigInt(MAX_RESERVED_PINS)) throw refuse('more pins than there are routes');
      controllers.createSplit(settings.createdVcpus);
      return;
    case CAPS.KVM_CAP_X2APIC_API:
      controllers.wideIds = masked(X2APIC_API_MASK) !== 0;
      return;
    case CAPS.KVM_CAP_X86_DISABLE_EXITS: {
      const disabled = masked(DISABLE_EXITS_MASK);
      if (settings.createdVcpus > 0) throw refuse('there is a vCPU');
      settings.disabledExits = disabled;
      return;
    }
    case CAPS.KVM_CAP_MAX_VCPU_ID: {
      if (argument === 0n || argument > BigInt(MAX_VCPU_IDS)) throw refuse('vCPU ids');
      const most = Number(argument);
      if (settings.maxVcpuIds !== 0 && settings.maxVcpuIds !== most) throw refuse('it was set before');
      settings.maxVcpuIds = most;
      return;
    }
    case CAPS.KVM_CAP_X86_USER_SPACE_MSR:
      settings.msrExits = masked(MSR_EXIT_MASK);
      return;
    case CAPS.KVM_CAP_EXIT_HYPERCALL:
      settings.hypercallExits = masked(EXIT_HYPERCALL_MASK);
      return;
    case CAPS.KVM_CAP_EXIT_ON_EMULATION_FAILURE:
      // Every instruction that can't be done ends a run already, also a user program's.
      masked(1);
      return;
    default:
      throw refuse(`capability ${cap}`);
  }
}
