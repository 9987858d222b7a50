import type { Evidence } from '@unpin/policy';
import { wordEvidence, wordsOf } from './command-line.ts';
import type { SignalInput } from './signal.ts';

/** `accept_memory=eager`; of several the last counts, and other values change nothing (mm/page_alloc.c). */
export function findEagerAcceptance(input: SignalInput): Evidence | undefined {
  const last = wordsOf(input.commandLine ?? '').findLast(
    ({ name, value }) => name === 'accept_memory' && (value === 'eager' || value === 'lazy'),
  );
  return last?.value === 'eager' ? wordEvidence('eager-acceptance', last) : undefined;
}
