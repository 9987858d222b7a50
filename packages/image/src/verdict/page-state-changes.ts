import type { Finding } from '@unpin/policy';
import { findInstruction } from '../signals/instruction.ts';
import { findPageStateEvent } from '../signals/page-state-event.ts';
import { findPageStateFailure } from '../signals/page-state-failure.ts';
import { findPageStateRequest } from '../signals/page-state-request.ts';
import type { SignalInput } from '../signals/signal.ts';
import { judgeGuestSupport } from './guest-support.ts';

/**
 * How an SNP guest says which pages it shares, the way out that today's hosts offer: by the GHCB's MSR before it has a
 * GHCB page, by the page later; and it validates what it takes back.
 */
export function judgePageStateChanges(input: SignalInput): Finding {
  return judgeGuestSupport(input, {
    name: "an SNP guest's page state changes",
    code: [findPageStateRequest(input), findPageStateEvent(input), findInstruction(input, 'pvalidate')],
    agrees: [findPageStateFailure(input)],
    symbols: ['snp_set_memory_shared'],
  });
}
