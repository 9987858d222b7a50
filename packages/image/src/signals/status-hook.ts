import type { Evidence } from '@unpin/policy';
import { ByteReader } from '../byte-reader.ts';
import { type CodeSite, codeEvidence, codeOccurrences, findWithin, type SignalInput } from './signal.ts';

/** 'test eax, 0x20000': KVM_FEATURE_MIGRATION_CONTROL, bit 17 of CPUID 0x40000001 EAX; never bit 16. */
const TEST_BIT_17 = Uint8Array.of(0xa9, 0x00, 0x00, 0x02, 0x00);
/** 'mov qword [rip + disp32], imm32', which stores the function's address in pv_ops. */
const STORE_FUNCTION = Uint8Array.of(0x48, 0xc7, 0x05);
const STORE_SIZE = 11;
const WITHIN = 64;

export interface StatusHook {
  readonly site: CodeSite;
  /** Virtual address of the function that is installed. */
  readonly target: bigint;
  readonly evidence: Evidence;
}

/**
 * Places where a kernel tests for bit 17 and then stores a function's address: kvm_init_platform installing
 * notify_page_enc_status_changed. Other code may look alike; what counts is which function is stored.
 */
export function findStatusHooks(input: SignalInput): StatusHook[] {
  const hooks: StatusHook[] = [];
  for (const site of codeOccurrences(input, TEST_BIT_17)) {
    const { bytes } = site.region;
    const store = findWithin(bytes, STORE_FUNCTION, site.at + TEST_BIT_17.length, site.at + WITHIN);
    if (store === undefined || store + STORE_SIZE > bytes.length) continue;
    const immediate = new ByteReader(bytes).u32(store + 7, 'imm32');
    const target = BigInt.asUintN(64, BigInt(immediate | 0));
    const name = input.symbols?.symbolAt(target)?.name ?? `0x${target.toString(16)}`;
    const seen = `test eax, 0x20000; mov qword [rip + …], ${name}`;
    hooks.push({ site, target, evidence: codeEvidence(input, 'bit-17-hook', site, seen) });
  }
  return hooks;
}
