import type { Finding } from '@unpin/policy';
import { findFeatureName } from '../signals/feature-name.ts';
import { findSevStatusRead } from '../signals/sev-status-read.ts';
import type { SignalInput } from '../signals/signal.ts';
import { judgeGuestSupport } from './guest-support.ts';

/** SEV itself. `mem_encrypt=` on the command line says nothing here: it rules host encryption (SME) only. */
export function judgeSevGuest(input: SignalInput): Finding {
  return judgeGuestSupport(input, {
    name: 'SEV',
    code: findSevStatusRead(input),
    text: findFeatureName(input, 'SEV'),
    symbols: ['sme_enable', '__pi_sme_enable'],
  });
}
