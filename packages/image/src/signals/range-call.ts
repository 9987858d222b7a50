import type { Evidence } from '@unpin/policy';
import { ByteReader } from '../byte-reader.ts';
import { addressOf, type CodeSite, codeEvidence, findWithin, occurrences, type SignalInput, siteAt } from './signal.ts';
import type { StatusHook } from './status-hook.ts';

const FUNCTION_SIZE = 512;
/** 'sub rsi, imm32' with the address of .bss..decrypted: its end minus its start, a size. */
const SUB_RSI = Uint8Array.of(0x48, 0x81, 0xee);
const SUB_SIZE = 7;
/** 'mov rdi, imm32' and 'mov edi, imm32' with the same address: the first argument. */
const MOV_RDI = Uint8Array.of(0x48, 0xc7, 0xc7);
const MOV_EDI = Uint8Array.of(0xbf);
const ARGUMENTS_BEFORE = 32;
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
/** 'shl rsi, 12': from pages to bytes. */
const SHL_RSI_12 = Uint8Array.of(0x48, 0xc1, 0xe6, 0x0c);

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
  for (const offset of occurrences(bytes.subarray(at, at + FUNCTION_SIZE), SUB_RSI)) {
    const subtract = at + offset;
    if (!reader.has(subtract, SUB_SIZE)) continue;
    if (!isFirstArgument(bytes, reader.slice(subtract + 3, 4, 'imm32'), subtract)) continue;
    const call = findCall(bytes, subtract + SUB_SIZE, CALL_AFTER);
    if (call === undefined) continue;
    const shift = findWithin(bytes, SHR_RSI_12, subtract + SUB_SIZE, call);
    const passes = shift === undefined ? 'bytes' : 'pages';
    const seen =
      shift === undefined ? 'sub rsi, … before the call: a size' : 'shr rsi, 12 before the call: a page count';
    const place = codeEvidence(input, 'range-call', { region, at: shift ?? subtract }, seen);
    const taken = findTaking(input, { region, at: call });
    return { passes, takes: taken?.unit, evidence: taken === undefined ? [place] : [place, taken.evidence] };
  }
  return undefined;
}

/** Whether the address is put into rdi, shortly before or after. */
function isFirstArgument(bytes: Uint8Array, address: Uint8Array, subtract: number): boolean {
  const [from, to] = [subtract - ARGUMENTS_BEFORE, subtract + ARGUMENTS_BEFORE];
  return [MOV_RDI, MOV_EDI].some((move) => findWithin(bytes, Buffer.concat([move, address]), from, to) !== undefined);
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
    const shift = findWithin(region.bytes, SHL_RSI_12, at, at + PROLOGUE);
    if (shift !== undefined)
      return { unit: 'pages', evidence: codeEvidence(input, 'range-end', { region, at: shift }, 'shl rsi, 12: pages') };
    const sum = findSum(region.bytes, at);
    if (sum === undefined) return undefined;
    const evidence = codeEvidence(input, 'range-end', { region, at: sum }, 'rdi + rsi: a size');
    return { unit: 'bytes', evidence };
  }
  return undefined;
}

/** 'lea r64, [rdi + rsi]', or 'add' of the two: the end of a range of bytes. */
function findSum(bytes: Uint8Array, from: number): number | undefined {
  for (let at = from; at < Math.min(from + PROLOGUE, bytes.length - 3); at++) {
    const [first, second, third, fourth] = bytes.subarray(at, at + 4);
    if (first === undefined || second === undefined || third === undefined) continue;
    const isLea = (first & 0xfb) === 0x48 && second === 0x8d && (third & 0xc7) === 0x04;
    if (isLea && (fourth === 0x37 || fourth === 0x3e)) return at;
    if (first === 0x48 && second === 0x01 && (third === 0xfe || third === 0xf7)) return at;
  }
  return undefined;
}
