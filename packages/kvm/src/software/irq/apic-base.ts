/** IA32_APIC_BASE (Intel SDM vol. 3, 12.4.4 and 12.12.1). */
export const APIC_BASE_MSR = 0x1b;
export const APIC_DEFAULT_BASE = 0xfee0_0000;

export const APIC_BASE = { boot: 1 << 8, x2apic: 1 << 10, enable: 1 << 11 } as const;

/** Bits 7:0 and 9. */
const RESERVED_LOW = 0x2ff;

export type ApicMode = 'disabled' | 'xapic' | 'x2apic';

/** What a vCPU's CPUID says of its APIC. */
export interface ApicFeatures {
  /** CPUID.1:ECX[21]. */
  readonly x2apic: boolean;
  /** CPUID.1:ECX[24]. */
  readonly tscDeadline: boolean;
  /** CPUID.8000_0008:EAX[7:0]; 36 where the leaf is missing. */
  readonly physicalAddressBits: number;
}

/** A vCPU that was told nothing. */
export const NO_FEATURES: ApicFeatures = { x2apic: false, tscDeadline: false, physicalAddressBits: 36 };

/** The mode that the low half asks for; null for x2APIC without the enable bit, which nothing may have. */
export function apicMode(low: number): ApicMode | null {
  switch (low & (APIC_BASE.x2apic | APIC_BASE.enable)) {
    case 0:
      return 'disabled';
    case APIC_BASE.enable:
      return 'xapic';
    case APIC_BASE.x2apic:
      return null;
    default:
      return 'x2apic';
  }
}

/** Where the register page lies. */
export function apicAddress(high: number, low: number): number {
  return high * 2 ** 32 + ((low & 0xffff_f000) >>> 0);
}

/**
 * Whether a value may be written to IA32_APIC_BASE. The guest must leave x2APIC through 'disabled' and enter it from
 * 'xapic'; user space may set any valid mode.
 */
export function acceptsApicBase(
  before: ApicMode,
  high: number,
  low: number,
  features: ApicFeatures,
  isHost: boolean,
): boolean {
  const after = apicMode(low);
  if (after === null || (low & RESERVED_LOW) !== 0) return false;
  if (after === 'x2apic' && !features.x2apic) return false;
  // Physical addresses have 36 to 52 bits: all of the reserved ones are in the high half.
  if (high >= 2 ** (features.physicalAddressBits - 32)) return false;
  if (isHost) return true;
  if (before === 'x2apic') return after !== 'xapic';
  return before !== 'disabled' || after !== 'x2apic';
}
