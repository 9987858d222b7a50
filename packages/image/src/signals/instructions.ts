import { type CodeSite, codeRegions, occurrences, type SignalInput } from './signal.ts';

/**
 * The instructions of confidential guests and of their hosts: all are 0f 01 and one more byte, and most take a prefix
 * (APM volume 3; Intel SDM volume 2, SEAM instructions).
 *
 * - `vmgexit` (rep vmmcall): an SEV-ES or SNP guest speaks to its VMM. `vmmcall` alone is any guest's hypercall.
 * - `pvalidate`, `rmpadjust`: an SNP guest; its host uses `psmash` and `rmpupdate`.
 * - `tdcall`: a TDX guest speaks to the TDX module; its host uses `seamcall`.
 */
export type Instruction =
  | 'vmmcall'
  | 'vmgexit'
  | 'pvalidate'
  | 'psmash'
  | 'rmpadjust'
  | 'rmpupdate'
  | 'tdcall'
  | 'seamcall';

/** Where each of them occurs. A site is where the instruction begins, with its prefix. */
export type Instructions = ReadonlyMap<Instruction, readonly CodeSite[]>;

const OPCODE = Uint8Array.of(0x0f, 0x01);
const REP = 0xf3;
const REPNE = 0xf2;
const OPERAND_SIZE = 0x66;

/** Finds all of them in one walk over what may be code. */
export function findInstructions(kernel: SignalInput['kernel']): Instructions {
  const found = new Map<Instruction, CodeSite[]>();
  for (const region of codeRegions(kernel))
    for (const at of occurrences(region.bytes, OPCODE)) {
      const instruction = nameOf(region.bytes[at - 1], region.bytes[at + 2]);
      if (instruction === undefined) continue;
      const sites = found.get(instruction);
      const site = { region, at: instruction === 'vmmcall' ? at : at - 1 };
      if (sites === undefined) found.set(instruction, [site]);
      else sites.push(site);
    }
  return found;
}

function nameOf(prefix: number | undefined, last: number | undefined): Instruction | undefined {
  if (last === 0xd9) return prefix === REP ? 'vmgexit' : 'vmmcall';
  if (prefix === REP) return last === 0xff ? 'psmash' : last === 0xfe ? 'rmpadjust' : undefined;
  if (prefix === REPNE) return last === 0xff ? 'pvalidate' : last === 0xfe ? 'rmpupdate' : undefined;
  if (prefix === OPERAND_SIZE) return last === 0xcc ? 'tdcall' : last === 0xcf ? 'seamcall' : undefined;
  return undefined;
}
