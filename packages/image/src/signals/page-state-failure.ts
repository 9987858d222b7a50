import type { Evidence } from '@unpin/policy';
import { type SignalInput, textEvidence } from './signal.ts';

/** What the function that announces page state changes says when the VMM refuses one. */
export function findPageStateFailure(input: SignalInput): Evidence | undefined {
  const text = 'SNP: PSC failed ret=';
  return textEvidence(input, 'page-state-failure', text, `"${text}…"`);
}
