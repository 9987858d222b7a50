import type { Evidence } from '@unpin/policy';
import { codeEvidence, codeOccurrences, findWithin, type SignalInput } from './signal.ts';

/** 'mov ecx, 0xc0010131': the SEV_STATUS MSR (APM volume 2, 15.34.10), which only guests read. */
const MOV_ECX_SEV_STATUS = Uint8Array.of(0xb9, 0x31, 0x01, 0x01, 0xc0);
const RDMSR = Uint8Array.of(0x0f, 0x32);
const WITHIN = 40;

/** Code that asks the CPU whether it runs as an SEV guest: sme_enable. 32-bit kernels have none. */
export function findSevStatusRead(input: SignalInput): Evidence | undefined {
  for (const site of codeOccurrences(input, MOV_ECX_SEV_STATUS)) {
    const end = site.at + MOV_ECX_SEV_STATUS.length;
    if (findWithin(site.region.bytes, RDMSR, end, end + WITHIN) !== undefined)
      return codeEvidence(input, 'sev-status-read', site, 'mov ecx, 0xc0010131; rdmsr');
  }
  return undefined;
}
