import { TRACE_KINDS, type TraceKind, UnpinError } from '@unpin/contract';

const isKind = (word: string): word is TraceKind => TRACE_KINDS.some((kind) => kind === word);

/** The kinds of `exits,faults`. @throws UnpinError USAGE */
export function parseTraceKinds(text: string, option: string): TraceKind[] {
  const kinds = text.split(',').map((word) => word.trim());
  const unknown = kinds.find((word) => !isKind(word));
  if (unknown !== undefined)
    throw new UnpinError('USAGE', {
      subject: option,
      found: `'${unknown}'`,
      needed: `some of ${TRACE_KINDS.join(',')}`,
    });
  return [...new Set(kinds.filter(isKind))];
}
