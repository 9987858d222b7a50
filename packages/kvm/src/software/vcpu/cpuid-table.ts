import type { CpuidEntry } from '../../port/vcpu-state.ts';
import type { ApicFeatures } from '../irq/index.ts';

/** KVM_CPUID_FLAG_SIGNIFCANT_INDEX. */
const SIGNIFICANT_INDEX = 1;
/** Where CPUID leaf 0x80000008 is missing (AMD64 APM 3, E.4.7). */
const DEFAULT_PHYSICAL_BITS = 36;
const EXTENDED = 0x8000_0000;

/** The leaves of one vCPU (KVM_SET_CPUID2). */
export class CpuidTable {
  readonly entries: readonly CpuidEntry[];
  readonly #byLeaf = new Map<number, CpuidEntry[]>();

  constructor(entries: readonly CpuidEntry[]) {
    this.entries = entries.map((entry) => ({ ...entry }));
    for (const entry of this.entries) {
      const leaf = entry.function >>> 0;
      const same = this.#byLeaf.get(leaf);
      if (same === undefined) this.#byLeaf.set(leaf, [entry]);
      else same.push(entry);
    }
  }

  /** The entry of a leaf and sub-leaf itself. */
  find(leaf: number, index = 0): CpuidEntry | undefined {
    return this.#byLeaf
      .get(leaf >>> 0)
      ?.find((entry) => (entry.flags & SIGNIFICANT_INDEX) === 0 || entry.index >>> 0 === index >>> 0);
  }

  /**
   * What the CPUID instruction gives. An AMD processor answers 0 for leaves that it doesn't have; leaves 0xb and 0x1f
   * carry the x2APIC id and the asked sub-leaf whatever it is (as KVM does).
   */
  answer(leaf: number, index: number): Pick<CpuidEntry, 'eax' | 'ebx' | 'ecx' | 'edx'> {
    const found = this.find(leaf, index);
    if (found !== undefined) return found;
    if (leaf === 0xb || leaf === 0x1f) {
      const first = this.find(leaf, 1);
      if (first !== undefined) return { eax: 0, ebx: 0, ecx: index & 0xff, edx: first.edx };
    }
    return { eax: 0, ebx: 0, ecx: 0, edx: 0 };
  }

  /** MAXPHYADDR. */
  get physicalBits(): number {
    const highest = this.find(EXTENDED)?.eax ?? 0;
    const leaf = highest >>> 0 >= EXTENDED + 8 ? this.find(EXTENDED + 8) : undefined;
    return leaf === undefined ? DEFAULT_PHYSICAL_BITS : leaf.eax & 0xff;
  }

  /** Whether other entries are the same, in their order. */
  equals(entries: readonly CpuidEntry[]): boolean {
    return (
      entries.length === this.entries.length &&
      entries.every((entry, at) => {
        const mine = this.entries[at];
        return mine !== undefined && FIELDS.every((field) => mine[field] >>> 0 === entry[field] >>> 0);
      })
    );
  }
}

const FIELDS = ['function', 'index', 'flags', 'eax', 'ebx', 'ecx', 'edx'] as const;

/** What a local APIC asks of CPUID. */
export function apicFeatures(cpuid: CpuidTable): ApicFeatures {
  const features = cpuid.find(1)?.ecx ?? 0;
  return {
    x2apic: (features & (1 << 21)) !== 0,
    tscDeadline: (features & (1 << 24)) !== 0,
    physicalAddressBits: cpuid.physicalBits,
  };
}
