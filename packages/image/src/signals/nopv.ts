import type { Evidence } from '@unpin/policy';
import { wordEvidence, wordsOf } from './command-line.ts';
import { findKernelParameter } from './kernel-parameter.ts';
import type { SignalInput } from './signal.ts';

/** CPUID 1 ECX bit 31, the hypervisor bit, by its number and its name in the kernel. */
const HYPERVISOR_BIT: ReadonlySet<string> = new Set(['159', 'hypervisor']);

/**
 * A word of the command line that makes the kernel pass by its hypervisor, so that no hook is installed:
 *
 * - `nopv` (arch/x86/kernel/cpu/hypervisor.c), with any value;
 * - `xen_nopv`, its older name, which sets the same on any hypervisor where the kernel has support for Xen guests
 *   (arch/x86/xen/enlighten_hvm.c);
 * - `clearcpuid=` with the hypervisor bit (arch/x86/kernel/cpu/common.c).
 */
export function findNopv(input: SignalInput): Evidence | undefined {
  for (const word of wordsOf(input.commandLine ?? '')) {
    if (word.name === 'nopv') return wordEvidence('nopv', word);
    if (word.name === 'xen_nopv' && findKernelParameter(input, 'xen_nopv') !== undefined)
      return wordEvidence('nopv', word);
    if (word.name === 'clearcpuid' && word.value?.split(',').some((each) => HYPERVISOR_BIT.has(each)))
      return wordEvidence('clearcpuid', word);
  }
  return undefined;
}
