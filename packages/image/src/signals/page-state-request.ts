import type { Evidence } from '@unpin/policy';
import { codeEvidence, findWithin, type SignalInput } from './signal.ts';

/** 'mov ecx, 0xc0010130': the GHCB MSR. */
const MOV_ECX_GHCB = Uint8Array.of(0xb9, 0x30, 0x01, 0x01, 0xc0);
const WRMSR = Uint8Array.of(0x0f, 0x30);
const MSR_BEFORE = 64;
/** The response's code, as the byte of 'cmp r, 0x15' (GHCB specification, Page State Change Response). */
const RESPONSE = 0x15;
const RESPONSE_AFTER = 48;

/**
 * A page state change by the GHCB's MSR protocol, as a guest makes it before it has a GHCB page: the MSR is written,
 * VMGEXIT, and the answer is compared with 0x15, which answers nothing else. (The request's code, 0x14, may be put into
 * the value anywhere before.)
 */
export function findPageStateRequest(input: SignalInput): Evidence | undefined {
  for (const site of input.instructions.get('vmgexit') ?? []) {
    const { bytes } = site.region;
    if (findWithin(bytes, WRMSR, site.at - 8, site.at) === undefined) continue;
    if (findWithin(bytes, MOV_ECX_GHCB, site.at - MSR_BEFORE, site.at) === undefined) continue;
    if (!comparesWith(bytes, RESPONSE, site.at, site.at + RESPONSE_AFTER)) continue;
    return codeEvidence(input, 'page-state-request', site, 'wrmsr 0xc0010130; rep vmmcall; cmp …, 0x15');
  }
  return undefined;
}

/** Whether 'cmp r, imm8' stands between two offsets: 83 /7 ib on a register, or 3c ib on al. */
function comparesWith(bytes: Uint8Array, value: number, from: number, to: number): boolean {
  for (let at = from; at < Math.min(to, bytes.length - 2); at++) {
    if (bytes[at] === 0x83 && (bytes[at + 1] ?? 0) >= 0xf8 && bytes[at + 2] === value) return true;
    if (bytes[at] === 0x3c && bytes[at + 1] === value) return true;
  }
  return false;
}
