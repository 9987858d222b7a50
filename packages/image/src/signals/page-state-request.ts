import type { Evidence } from '@unpin/policy';
import { codeEvidence, findWithin, type SignalInput } from './signal.ts';

/** 'mov ecx, 0xc0010130': the GHCB MSR. */
const MOV_ECX_GHCB = Uint8Array.of(0xb9, 0x30, 0x01, 0x01, 0xc0);
const WRMSR = Uint8Array.of(0x0f, 0x30);
const MSR_BEFORE = 64;
/** The request's code, as the byte of 'or r, 0x14' (GHCB specification, Page State Change Request). */
const REQUEST = 0x14;
const REQUEST_BEFORE = 24;
/** The response's code, as the byte of 'cmp r, 0x15' (Page State Change Response). */
const RESPONSE = 0x15;
const RESPONSE_AFTER = 48;

/**
 * A page state change by the GHCB's MSR protocol, as a guest makes it before it has a GHCB page: the code 0x14 is put
 * into the value, the MSR is written, VMGEXIT, and the answer is compared with 0x15. Other requests by that MSR have
 * other codes.
 */
export function findPageStateRequest(input: SignalInput): Evidence | undefined {
  for (const site of input.instructions.get('vmgexit') ?? []) {
    const { bytes } = site.region;
    if (findWithin(bytes, WRMSR, site.at - 8, site.at) === undefined) continue;
    if (findWithin(bytes, MOV_ECX_GHCB, site.at - MSR_BEFORE, site.at) === undefined) continue;
    if (!hasImmediate(bytes, OR, REQUEST, site.at - REQUEST_BEFORE, site.at)) continue;
    if (!hasImmediate(bytes, CMP, RESPONSE, site.at, site.at + RESPONSE_AFTER)) continue;
    return codeEvidence(input, 'page-state-request', site, 'or …, 0x14; wrmsr 0xc0010130; rep vmmcall; cmp …, 0x15');
  }
  return undefined;
}

/** ModRM's middle field of 83 /n ib: which operation it is. */
const OR = 1;
const CMP = 7;

/** Whether 'op r, imm8' stands between two offsets: 83 /n ib on a register, or its short form on al or eax. */
function hasImmediate(bytes: Uint8Array, operation: number, value: number, from: number, to: number): boolean {
  const short = operation * 8 + 4;
  for (let at = Math.max(0, from); at < Math.min(to, bytes.length - 2); at++) {
    const opcode = bytes[at];
    if (opcode === 0x83 && (bytes[at + 1] ?? 0) >> 3 === (0xc0 >> 3) + operation && bytes[at + 2] === value)
      return true;
    if (opcode === short && bytes[at + 1] === value) return true;
  }
  return false;
}
