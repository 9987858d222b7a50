import type { Evidence } from '@unpin/policy';
import { wordEvidence, wordsOf } from './command-line.ts';

/**
 * `nopv` on the command line, with any value: the kernel then passes by its hypervisor and installs no hook
 * (arch/x86/kernel/cpu/hypervisor.c). Its older name `xen_nopv` counts on Xen only (arch/x86/xen/enlighten_hvm.c).
 */
export function findNopv(commandLine: string | undefined): Evidence | undefined {
  const word = wordsOf(commandLine ?? '').find(({ name }) => name === 'nopv');
  return word && wordEvidence('nopv', word);
}
