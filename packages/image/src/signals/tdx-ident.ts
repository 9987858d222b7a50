import type { Evidence } from '@unpin/policy';
import { codeEvidence, codeOccurrences, findWithin, type SignalInput, textEvidence } from './signal.ts';

/** CPUID leaf 0x21 answers 'IntelTDX    ' in a TDX guest (Intel TDX module specification). */
const NAME = 'IntelTDX';
const SPACES = Uint8Array.of(0x20, 0x20, 0x20, 0x20);
const REACH = 160;

/**
 * The name that tells a guest that it is one of TDX, where it is compared: as a text of twelve characters, or as two
 * numbers in the code. The name without its spaces occurs in other texts.
 */
export function findTdxIdent(input: SignalInput): Evidence | undefined {
  const text = textEvidence(input, 'tdx-ident', `${NAME}    `, `"${NAME}    "`);
  if (text !== undefined) return text;
  for (const site of codeOccurrences(input, Buffer.from(NAME, 'latin1')))
    if (findWithin(site.region.bytes, SPACES, site.at, site.at + REACH) !== undefined)
      return codeEvidence(input, 'tdx-ident', site, `"${NAME}    " as two numbers`);
  return undefined;
}
