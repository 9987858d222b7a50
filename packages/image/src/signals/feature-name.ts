import type { Evidence } from '@unpin/policy';
import { type SignalInput, textEvidence } from './signal.ts';

/**
 * A kernel with AMD memory encryption lists at boot which of its features are active; each name is a continued log
 * line of its own. The line's beginning, 'Memory Encryption Features active:', is also in kernels for Intel's TDX.
 */
export function findFeatureName(input: SignalInput, feature: 'SEV' | 'SEV-ES' | 'SEV-SNP'): Evidence | undefined {
  return textEvidence(input, 'feature-name', `\u0001c ${feature}\0`, `" ${feature}" in the list of active features`);
}
