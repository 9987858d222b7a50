import type { Rule } from '../rule.ts';
import { dirtyLogRules } from './dirty-log.ts';
import { enableCapRules } from './enable-cap.ts';
import { guestMemfdRules } from './guest-memfd.ts';
import { closeOrderRules, guestMemfdGuestRules, guestMemoryRules } from './guest-memory.ts';
import { hypercallRules } from './hypercall.ts';
import { doorbellRules, interruptRules } from './interrupts.ts';
import { ioeventfdRules, irqchipRules } from './irqchip.ts';
import { memoryAttributeRules } from './memory-attributes.ts';
import { memoryFaultRules } from './memory-fault.ts';
import { memoryRegionRules } from './memory-region.ts';
import { memoryRegionGuestMemfdRules } from './memory-region-guest-memfd.ts';
import { mmioRules } from './mmio.ts';
import { msrExitRules } from './msr-exits.ts';
import { portIoRules } from './port-io.ts';
import { cpuidRules, msrRules, registerRules } from './registers.ts';
import { kickRules, runRules } from './run.ts';
import { sevRules } from './sev.ts';
import { createVmRules, systemRules } from './system.ts';
import { preFaultRules, vcpuRules } from './vcpu.ts';
import { vmSetupRules } from './vm-setup.ts';

/** All rules: calls first, then guests. */
export const rules: readonly Rule[] = [
  ...systemRules,
  ...createVmRules,
  ...vmSetupRules,
  ...memoryRegionRules,
  ...guestMemfdRules,
  ...memoryRegionGuestMemfdRules,
  ...memoryAttributeRules,
  ...sevRules,
  ...enableCapRules,
  ...irqchipRules,
  ...ioeventfdRules,
  ...vcpuRules,
  ...preFaultRules,
  ...registerRules,
  ...msrRules,
  ...cpuidRules,
  ...portIoRules,
  ...mmioRules,
  ...runRules,
  ...kickRules,
  ...msrExitRules,
  ...interruptRules,
  ...doorbellRules,
  ...hypercallRules,
  ...guestMemoryRules,
  ...dirtyLogRules,
  ...guestMemfdGuestRules,
  ...memoryFaultRules,
  ...closeOrderRules,
];
