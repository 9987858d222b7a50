import type { Evidence } from '@unpin/policy';
import { type SignalInput, textEvidence } from './signal.ts';

/** What the handler of the VMM communication exception (#VC) says when it fails: it is there. */
export function findVcHandler(input: SignalInput): Evidence | undefined {
  const text = 'Failure in communication with VMM (exit-code';
  return textEvidence(input, 'vc-handler', text, `"${text} …"`);
}
