import { readFileSync } from 'node:fs';

/** What tells a processor emulated in software from one that executes: texts of this machine, '' where it has none. */
export interface HostCpuFacts {
  /** /proc/cpuinfo */
  readonly cpuinfo: string;
  /** /sys/class/dmi/id/sys_vendor */
  readonly systemVendor: string;
  /** /sys/devices/system/clocksource/clocksource0/available_clocksource */
  readonly clockSources: string;
}

/** Reads the facts of this machine. */
export function hostCpuFacts(): HostCpuFacts {
  return {
    cpuinfo: textOf('/proc/cpuinfo'),
    systemVendor: textOf('/sys/class/dmi/id/sys_vendor'),
    clockSources: textOf('/sys/devices/system/clocksource/clocksource0/available_clocksource'),
  };
}

/**
 * Whether this host is a QEMU machine whose processor is emulated (TCG). The CPUID signature "TCGTCGTCGTCG" isn't shown
 * to user space, so: a QEMU machine under a hypervisor that offers none of the clocks a real hypervisor would.
 */
export function isEmulatedHost(facts: HostCpuFacts): boolean {
  const flags = /^flags\s*:(.*)$/m.exec(facts.cpuinfo)?.[1]?.split(/\s+/) ?? [];
  const paravirtualClock = /\b(kvm-clock|hyperv_clocksource_\w+|xen)\b/.test(facts.clockSources);
  return flags.includes('hypervisor') && facts.systemVendor.trim() === 'QEMU' && !paravirtualClock;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
