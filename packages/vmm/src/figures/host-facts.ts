import { readFileSync } from 'node:fs';

/** This machine's memory, in bytes (proc(5), /proc/meminfo). */
export interface HostMemoryFacts {
  readonly totalBytes: number;
  /** What can be had without swapping, as the kernel estimates it. */
  readonly availableBytes: number;
}

export function hostMemory(): HostMemoryFacts {
  const fields = kibFields(readFileSync('/proc/meminfo', 'latin1'));
  return { totalBytes: fields.get('MemTotal') ?? 0, availableBytes: fields.get('MemAvailable') ?? 0 };
}

/** `Name:   123 kB` lines of /proc files, as bytes. */
export function kibFields(text: string): ReadonlyMap<string, number> {
  const fields = new Map<string, number>();
  for (const [, name = '', kib = ''] of text.matchAll(/^(\w+):\s+(\d+) kB$/gm)) fields.set(name, Number(kib) * 1024);
  return fields;
}

/** VmPin of this process in bytes: pages under a long-term pin that the kernel accounts to it. */
export function pinnedBytesOfProcess(): number {
  return kibFields(readFileSync('/proc/self/status', 'latin1')).get('VmPin') ?? 0;
}
