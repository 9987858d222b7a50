import type { Evidence } from '@unpin/policy';
import { codeEvidence, codeOccurrences, type SignalInput } from './signal.ts';

/** VMGEXIT, encoded as 'rep vmmcall' (APM volume 3): the SEV-ES and SNP guest's way to talk to its VMM. */
const VMGEXIT = Uint8Array.of(0xf3, 0x0f, 0x01, 0xd9);

export function findVmgexit(input: SignalInput): Evidence | undefined {
  const sites = codeOccurrences(input, VMGEXIT);
  const [first] = sites;
  return first === undefined
    ? undefined
    : codeEvidence(input, 'vmgexit', first, `rep vmmcall, at ${sites.length} places`);
}
