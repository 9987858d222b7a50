import type { Finding } from '@unpin/policy';
import { findPvalidate } from '../signals/pvalidate.ts';
import type { SignalInput } from '../signals/signal.ts';
import { findSnpCpuidTable } from '../signals/snp-cpuid-table.ts';
import { judgeGuestSupport } from './guest-support.ts';

/** SEV-SNP: it validates its pages and takes CPUID from the firmware's table (Linux 5.19 and later). */
export function judgeSnpGuest(input: SignalInput): Finding {
  return judgeGuestSupport(input, {
    name: 'SEV-SNP',
    code: findPvalidate(input),
    text: findSnpCpuidTable(input),
    symbols: ['snp_set_memory_private'],
  });
}
