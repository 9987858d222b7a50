import type { Finding } from '@unpin/policy';
import { findInstruction } from '../signals/instruction.ts';
import type { SignalInput } from '../signals/signal.ts';
import { findTdxIdent } from '../signals/tdx-ident.ts';
import { judgeGuestSupport } from './guest-support.ts';

/** Intel TDX: it calls the TDX module (TDCALL), and asks CPUID leaf 0x21 whether it should (Linux 5.19 and later). */
export function judgeTdxGuest(input: SignalInput): Finding {
  return judgeGuestSupport(input, {
    name: 'a TDX guest',
    code: [findInstruction(input, 'tdcall')],
    agrees: [findTdxIdent(input)],
    symbols: ['tdx_early_init'],
  });
}
