import type { Evidence } from '@unpin/policy';
import { wordEvidence, wordsOf } from './command-line.ts';

/** CPUID 1 ECX bit 31, the hypervisor bit, by its number and by its name in the kernel. */
const HYPERVISOR_BIT: ReadonlySet<string> = new Set(['159', 'hypervisor']);

/**
 * `clearcpuid=` with the hypervisor bit (arch/x86/kernel/cpu/common.c): without it the kernel does not look for KVM.
 * Older kernels know bits by number only.
 */
export function findClearedHypervisorBit(commandLine: string | undefined): Evidence | undefined {
  const word = wordsOf(commandLine ?? '').find(
    ({ name, value }) => name === 'clearcpuid' && value?.split(',').some((bit) => HYPERVISOR_BIT.has(bit)),
  );
  return word && wordEvidence('clearcpuid', word);
}
