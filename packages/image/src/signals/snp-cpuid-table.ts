import type { Evidence } from '@unpin/policy';
import { type SignalInput, textEvidence } from './signal.ts';

/** An SNP guest takes CPUID from a table that the firmware measured, and says so. */
export function findSnpCpuidTable(input: SignalInput): Evidence | undefined {
  const text = 'Using SNP CPUID table';
  return textEvidence(input, 'snp-cpuid-table', text, `"${text}"`);
}
