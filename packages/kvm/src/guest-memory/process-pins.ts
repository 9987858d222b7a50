import { readFileSync } from 'node:fs';

/**
 * Bytes that this process holds in long-term pins (VmPin of /proc/self/status): one VM is one process. Pins of
 * KVM_MEMORY_ENCRYPT_REG_REGION are not among them, KVM counts those by itself.
 */
export function pinnedByProcess(): number {
  const kib = /^VmPin:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kib ?? '0') * 1024;
}
