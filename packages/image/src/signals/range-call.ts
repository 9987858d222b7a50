import type { Evidence } from '@unpin/policy';
import { ByteReader } from '../byte-reader.ts';
import { addressOf, type CodeSite, codeEvidence, findWithin, occurrences, type SignalInput, siteAt } from './signal.ts';
import type { StatusHook } from './status-hook.ts';

const FUNCTION_SIZE = 512;
/** 'mov rdi, imm32' with the address of .bss..decrypted: the first argument. */
const MOV_RDI = Uint8Array.of(0x48, 0xc7, 0xc7);
const MOV_SIZE = 7;
/** 'sub rsi, imm32' with the same address: its end minus its start, a size. */
const SUB_RSI = Uint8Array.of(0x48, 0x81, 0xee);
const ARGUMENTS_WITHIN = 32;
/** 'shr rsi, 12': a count of pages. */
const SHR_RSI_12 = Uint8Array.of(0x48, 0xc1, 0xee, 0x0c);
const CALL_AFTER = 32;
const CALL = 0xe8;
const JUMP = 0xe9;
/** The function that is called hands its arguments on: at most so many bytes, so many functions. */
const HAND_ON_WITHIN = 20;
const MOST_HANDED_ON = 2;
/** Where a function computes the end of its range. */
const PROLOGUE = 48;
/** Registers by their numbers. */
const [RSI, RDI] = [6, 7];

export type Unit = 'bytes' | 'pages';

/** How the length of .bss..decrypted is handed over when the guest starts. */
export interface RangeCall {
  readonly passes: Unit;
  /** What the function at the other end makes of it; undefined where that was not recognised. */
  readonly takes: Unit | undefined;
  readonly evidence: readonly Evidence[];
}

/**
 * How kvm_init_platform passes the length of .bss..decrypted, its second argument, and how enc_dec_hypercall takes it:
 * in pages (the kernel lacks the fix of CVE-2023-53996) or in bytes. Needs neither symbols nor type information:
 * the installer is known by its hook, the call by the section's address in both arguments.
 */
export function findRangeCall(input: SignalInput, hook: StatusHook): RangeCall | undefined {
  const { region, at } = hook.site;
  const { bytes } = region;
  const reader = new ByteReader(bytes);
  for (const offset of occurrences(bytes.subarray(at, at + FUNCTION_SIZE), MOV_RDI)) {
    const move = at + offset;
    if (!reader.has(move, MOV_SIZE)) continue;
    const subtract = findSubtraction(bytes, reader.slice(move + 3, 4, 'imm32'), move);
    if (subtract === undefined) continue;
    const call = findCall(bytes, Math.max(move + MOV_SIZE, subtract.end), CALL_AFTER);
    if (call === undefined) continue;
    const shift = findWithin(bytes, SHR_RSI_12, subtract.end, call);
    const passes = shift === undefined ? 'bytes' : 'pages';
    const seen =
      shift === undefined ? 'sub rsi, … before the call: a size' : 'shr rsi, 12 before the call: a page count';
    const place = codeEvidence(input, 'range-call', { region, at: shift ?? subtract.at }, seen);
    const taken = findTaking(input, { region, at: call });
    return { passes, takes: taken?.unit, evidence: taken === undefined ? [place] : [place, taken.evidence] };
  }
  return undefined;
}

/** The subtraction of an address from rsi near a place: as an immediate, or by way of a register that holds it. */
function findSubtraction(
  bytes: Uint8Array,
  address: Uint8Array,
  near: number,
): { readonly at: number; readonly end: number } | undefined {
  const [from, to] = [Math.max(0, near - ARGUMENTS_WITHIN), near + ARGUMENTS_WITHIN];
  const immediate = findWithin(bytes, Buffer.concat([SUB_RSI, address]), from, to);
  if (immediate !== undefined) return { at: immediate, end: immediate + 7 };
  for (let register = 0; register < 8; register++) {
    const load = findWithin(bytes, Buffer.concat([Uint8Array.of(0x48, 0xc7, 0xc0 + register), address]), from, to);
    if (load === undefined) continue;
    const subtraction = Uint8Array.of(0x48, 0x29, 0xc6 + register * 8);
    const at = findWithin(bytes, subtraction, load, load + ARGUMENTS_WITHIN);
    if (at !== undefined) return { at, end: at + 3 };
  }
  return undefined;
}

/** The first call or jump with a 32-bit distance in so many bytes. */
function findCall(bytes: Uint8Array, from: number, within: number): number | undefined {
  for (let at = from; at < Math.min(from + within, bytes.length - 4); at++)
    if (bytes[at] === CALL || bytes[at] === JUMP) return at;
  return undefined;
}

interface Taking {
  readonly unit: Unit;
  readonly evidence: Evidence;
}

/** Follows a call to the function that computes the range's end, and tells what it takes for it. */
function findTaking(input: SignalInput, call: CodeSite): Taking | undefined {
  let site: CodeSite | undefined = call;
  for (let handed = 0; handed <= MOST_HANDED_ON && site !== undefined; handed++) {
    const reader = new ByteReader(site.region.bytes);
    const distance = reader.u32(site.at + 1, 'rel32') | 0;
    const start = siteAt(input, addressOf(site) + 5n + BigInt(distance));
    if (start === undefined) return undefined;
    const { region, at } = start;
    const handOn = findCall(region.bytes, at, HAND_ON_WITHIN);
    if (handOn !== undefined) {
      site = { region, at: handOn };
      continue;
    }
    const end = findRangeEnd(region.bytes, at);
    const seen = end?.unit === 'pages' ? 'shl …, 12: pages' : 'rdi + rsi: a size';
    return end && { unit: end.unit, evidence: codeEvidence(input, 'range-end', { region, at: end.at }, seen) };
  }
  return undefined;
}

/**
 * Where a function computes its range's end from rdi and rsi, at its start: with 'lea r64, [rdi + rsi]', or by adding one
 * to the other, which may have been copied. Before that a count of pages is shifted left by 12.
 */
function findRangeEnd(bytes: Uint8Array, from: number): { readonly unit: Unit; readonly at: number } | undefined {
  let copy: number | undefined;
  for (let at = from; at < Math.min(from + PROLOGUE, bytes.length - 3); at++) {
    const [rex = 0, opcode = 0, modrm = 0, fourth = 0] = bytes.subarray(at, at + 4);
    // REX.W, with B where the register is r8 or above (rm), with R where it is (reg).
    if ((rex & 0xf8) !== 0x48) continue;
    const target = (modrm & 7) + (rex & 1) * 8;
    const source = ((modrm >> 3) & 7) + (rex & 4) * 2;
    const isOfRegisters = modrm >= 0xc0;
    if (opcode === 0xc1 && modrm >> 3 === 0xe0 >> 3 && fourth === 12) return { unit: 'pages', at };
    if (opcode === 0x8d && (modrm & 0xc7) === 0x04 && (fourth === 0x37 || fourth === 0x3e))
      return { unit: 'bytes', at };
    if (opcode === 0x89 && isOfRegisters && source === RSI) copy = target;
    if (opcode !== 0x01 || !isOfRegisters) continue;
    const isSum = (source === RDI && (target === RSI || target === copy)) || (source === RSI && target === RDI);
    if (isSum) return { unit: 'bytes', at };
  }
  return undefined;
}
