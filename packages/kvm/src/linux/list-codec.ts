import type { CpuidEntry, MsrEntry } from '../port/vcpu-state.ts';
import type { Struct } from '../uapi/struct.ts';
import { MSR_ENTRY, MSRS } from '../uapi/vcpu-structs.ts';
import { CPUID_ENTRY2, CPUID2 } from '../uapi/vm-structs.ts';

/** Leaves that are asked for at once. KVM itself has no more than 256 (KVM_MAX_CPUID_ENTRIES). */
const MAX_CPUID_ENTRIES = 256;

/** A struct kvm_cpuid2 with room for all leaves. */
export function emptyCpuid(): Struct<typeof CPUID2.fields> {
  return CPUID2.make(MAX_CPUID_ENTRIES * CPUID_ENTRY2.size).set('nent', MAX_CPUID_ENTRIES);
}

export function decodeCpuid(from: Struct<typeof CPUID2.fields>): readonly CpuidEntry[] {
  return Array.from({ length: from.get('nent') }, (_, index) => {
    const at = CPUID_ENTRY2.at(from.bytes.buffer, CPUID2.size + index * CPUID_ENTRY2.size);
    return {
      function: at.get('function'),
      index: at.get('index'),
      flags: at.get('flags'),
      eax: at.get('eax'),
      ebx: at.get('ebx'),
      ecx: at.get('ecx'),
      edx: at.get('edx'),
    };
  });
}

export function encodeCpuid(entries: readonly CpuidEntry[]): Struct<typeof CPUID2.fields> {
  const to = CPUID2.make(entries.length * CPUID_ENTRY2.size).set('nent', entries.length);
  for (const [index, entry] of entries.entries()) {
    const at = CPUID_ENTRY2.at(to.bytes.buffer, CPUID2.size + index * CPUID_ENTRY2.size);
    at.set('function', entry.function).set('index', entry.index).set('flags', entry.flags);
    at.set('eax', entry.eax).set('ebx', entry.ebx).set('ecx', entry.ecx).set('edx', entry.edx);
  }
  return to;
}

/** A struct kvm_msrs; without values it asks for them. */
export function encodeMsrs(entries: readonly { index: number; value?: bigint }[]): Struct<typeof MSRS.fields> {
  const to = MSRS.make(entries.length * MSR_ENTRY.size).set('nmsrs', entries.length);
  for (const [place, { index, value = 0n }] of entries.entries())
    MSR_ENTRY.at(to.bytes.buffer, MSRS.size + place * MSR_ENTRY.size)
      .set('index', index)
      .set('data', value);
  return to;
}

/** The first `count` entries. */
export function decodeMsrs(from: Struct<typeof MSRS.fields>, count: number): readonly MsrEntry[] {
  return Array.from({ length: count }, (_, place) => {
    const at = MSR_ENTRY.at(from.bytes.buffer, MSRS.size + place * MSR_ENTRY.size);
    return { index: at.get('index'), value: at.getBig('data') };
  });
}
