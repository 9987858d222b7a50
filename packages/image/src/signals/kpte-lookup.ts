import type { Evidence } from '@unpin/policy';
import { type SignalInput, textEvidence } from './signal.ts';

/** The warning of AMD's call site, enc_dec_hypercall. A kernel for Intel's TDX only has the hypercall but not this. */
export function findKpteLookup(input: SignalInput): Evidence | undefined {
  const text = 'kpte lookup for vaddr';
  return textEvidence(input, 'kpte-lookup', text, `"${text}"`);
}
