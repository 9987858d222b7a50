import type { Finding } from '@unpin/policy';
import { findInstruction } from '../signals/instruction.ts';
import type { SignalInput } from '../signals/signal.ts';
import { findVcHandler } from '../signals/vc-handler.ts';
import { findVcIdtEntry } from '../signals/vc-idt-entry.ts';
import { judgeGuestSupport } from './guest-support.ts';

/** SEV-ES: a handler of the #VC exception that speaks to the VMM through the GHCB (Linux 5.10 and later). */
export function judgeSevEsGuest(input: SignalInput): Finding {
  return judgeGuestSupport(input, {
    name: 'an SEV-ES guest',
    code: [findInstruction(input, 'vmgexit')],
    agrees: [findVcIdtEntry(input), findVcHandler(input)],
    symbols: ['asm_exc_vmm_communication'],
  });
}
