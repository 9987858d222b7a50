import type { Execution } from './vm-type.ts';

/** How one machine can run a VM type. */
export interface Way {
  readonly execution: Execution;
  readonly confidential: boolean;
  /** Whether Linux can boot this way, or only small guests (the probe). */
  readonly bootsLinux: boolean;
  /** Where private memory would live: `guest_memfd`, `memfd`, `memslots`. */
  readonly privateMemory: string;
}

export interface WayWanted {
  /** What the VM's creator allows. */
  readonly allow: readonly Execution[];
  /** Whether the guest is Linux. */
  readonly linux: boolean;
}

/** The most genuine of a machine's ways that will do; `ways` come most genuine first. Pure. */
export function chooseWay<W extends Way>(ways: readonly W[], { allow, linux }: WayWanted): W | undefined {
  return ways.find((way) => allow.includes(way.execution) && (way.bootsLinux || !linux));
}
