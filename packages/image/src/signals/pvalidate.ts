import type { Evidence } from '@unpin/policy';
import { codeEvidence, codeOccurrences, type SignalInput } from './signal.ts';

/** PVALIDATE (APM volume 3): only an SNP guest validates pages; hosts use RMPUPDATE and PSMASH. */
const PVALIDATE = Uint8Array.of(0xf2, 0x0f, 0x01, 0xff);

export function findPvalidate(input: SignalInput): Evidence | undefined {
  const [site] = codeOccurrences(input, PVALIDATE);
  return site === undefined ? undefined : codeEvidence(input, 'pvalidate', site, 'pvalidate');
}
