import type { Finding } from '@unpin/policy';
import { findInstruction } from '../signals/instruction.ts';
import type { SignalInput } from '../signals/signal.ts';
import { findSnpCpuidTable } from '../signals/snp-cpuid-table.ts';
import { judgeGuestSupport } from './guest-support.ts';

/**
 * SEV-SNP: it validates its pages and takes CPUID from the firmware's table (Linux 5.19 and later). RMPADJUST alone is
 * no sign of it: Hyper-V's guests have it in code of their own.
 */
export function judgeSnpGuest(input: SignalInput): Finding {
  return judgeGuestSupport(input, {
    name: 'an SEV-SNP guest',
    code: [findInstruction(input, 'pvalidate')],
    agrees: [findSnpCpuidTable(input)],
    symbols: ['snp_set_memory_private'],
  });
}
