import type { Finding } from '@unpin/policy';
import { findFeatureName } from '../signals/feature-name.ts';
import { findSevStatusRead } from '../signals/sev-status-read.ts';
import type { SignalInput } from '../signals/signal.ts';
import { judgeGuestSupport } from './guest-support.ts';

/**
 * SEV itself. `mem_encrypt=` on the command line says nothing here: a kernel takes SEV from the processor alone
 * (sme_enable in arch/x86/mm/mem_encrypt_identity.c in 5.10, 6.1 and 6.12, in arch/x86/boot/startup/sme.c in 7.3);
 * the word rules host encryption (SME).
 */
export function judgeSevGuest(input: SignalInput): Finding {
  return judgeGuestSupport(input, {
    name: 'an SEV guest',
    code: [findSevStatusRead(input)],
    agrees: [findFeatureName(input, 'SEV')],
    symbols: ['sme_enable', '__pi_sme_enable'],
  });
}
