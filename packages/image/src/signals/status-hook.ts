import type { Evidence } from '@unpin/policy';
import { ByteReader } from '../byte-reader.ts';
import {
  addressOf,
  type CodeRegion,
  type CodeSite,
  codeEvidence,
  codeRegions,
  occurrences,
  type SignalInput,
} from './signal.ts';

/**
 * KVM_FEATURE_MIGRATION_CONTROL, bit 17 of CPUID 0x40000001 EAX, is tested; never bit 16. As 'test eax, 0x20000', as
 * 'test r32, 0x20000' (f7 /0) or as 'bt r32, 17' (0f ba /4).
 */
const TEST_EAX = Uint8Array.of(0xa9, 0x00, 0x00, 0x02, 0x00);
const TEST_REGISTER = 0xf7;
const BIT_TEST = Uint8Array.of(0x0f, 0xba);
/** 'mov qword [rip + disp32], imm32', which stores the function's address in pv_ops. */
const STORE_FUNCTION = Uint8Array.of(0x48, 0xc7, 0x05);
const STORE_SIZE = 11;
/** 'lea r64, [rip + disp32]': the same in code that is independent of its position. */
const LEA_SIZE = 7;
const WITHIN = 96;

export interface StatusHook {
  /** The test of the bit. */
  readonly site: CodeSite;
  /** Virtual address of the function that is installed. */
  readonly target: bigint;
  readonly evidence: Evidence;
}

/**
 * The place where a kernel tests for bit 17 and then stores a function's address: kvm_init_platform installing
 * notify_page_enc_status_changed. Other code may look alike; what counts is which function is stored.
 * @param wanted whether a function's address is one that may be stored
 */
export function findStatusHook(input: SignalInput, wanted: (target: bigint) => boolean): StatusHook | undefined {
  for (const region of likelyFirst(codeRegions(input.kernel)))
    for (const { site, size, seen } of bitTests(region)) {
      const target = storedAddresses(site, site.at + size).find(wanted);
      if (target === undefined) continue;
      const name = input.symbols?.symbolAt(target)?.name ?? `0x${target.toString(16)}`;
      const evidence = codeEvidence(input, 'bit-17-hook', site, `${seen}; mov qword [rip + …], ${name}`);
      return { site, target, evidence };
    }
  return undefined;
}

/** Code that runs once is apart from the rest in nearly every kernel, and is the smaller part. */
function likelyFirst(regions: readonly CodeRegion[]): CodeRegion[] {
  return regions.toSorted((a, b) => a.bytes.length - b.bytes.length);
}

interface BitTest {
  readonly site: CodeSite;
  readonly size: number;
  readonly seen: string;
}

function bitTests(region: CodeRegion): BitTest[] {
  const tests: BitTest[] = [];
  for (const at of occurrences(region.bytes, TEST_EAX))
    tests.push({ site: { region, at }, size: TEST_EAX.length, seen: 'test eax, 0x20000' });
  for (const at of registerTests(region.bytes))
    tests.push({ site: { region, at }, size: 6, seen: 'test r32, 0x20000' });
  for (const at of occurrences(region.bytes, BIT_TEST))
    if ((region.bytes[at + 2] ?? 0) >> 3 === 0xe0 >> 3 && region.bytes[at + 3] === 17)
      tests.push({ site: { region, at }, size: 4, seen: 'bt r32, 17' });
  return tests;
}

function registerTests(bytes: Uint8Array): number[] {
  const found: number[] = [];
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = buffer.indexOf(TEST_REGISTER); at >= 0; at = buffer.indexOf(TEST_REGISTER, at + 1)) {
    const isRegister = (bytes[at + 1] ?? 0) >> 3 === 0xc0 >> 3;
    if (isRegister && bytes[at + 2] === 0 && bytes[at + 3] === 0 && bytes[at + 4] === 2 && bytes[at + 5] === 0)
      found.push(at);
  }
  return found;
}

/** Addresses that are stored or taken in the code after a place. */
function storedAddresses({ region }: CodeSite, from: number): bigint[] {
  const window = region.bytes.subarray(from, from + WITHIN);
  const reader = new ByteReader(window);
  const found: bigint[] = [];
  for (const at of occurrences(window, STORE_FUNCTION)) {
    if (!reader.has(at, STORE_SIZE)) continue;
    // The immediate is extended with its sign.
    found.push(BigInt.asUintN(64, BigInt(reader.u32(at + 7, 'imm32') | 0)));
  }
  for (let at = 0; reader.has(at, LEA_SIZE); at++) {
    if (window[at] !== 0x48 || window[at + 1] !== 0x8d || ((window[at + 2] ?? 0) & 0xc7) !== 0x05) continue;
    const after = addressOf({ region, at: from + at + LEA_SIZE });
    found.push(BigInt.asUintN(64, after + BigInt(reader.u32(at + 3, 'disp32') | 0)));
  }
  return found;
}
