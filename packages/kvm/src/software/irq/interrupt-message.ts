/** How an interrupt is delivered: bits 10:8 of the ICR, of an LVT, of a redirection entry and of an MSI's data. */
export const DELIVERY = {
  fixed: 0,
  lowestPriority: 1,
  smi: 2,
  nmi: 4,
  init: 5,
  startup: 6,
  external: 7,
} as const;

/** Bits 19:18 of the ICR; messages from elsewhere have no shorthand. */
export const SHORTHAND = { none: 0, self: 1, all: 2, others: 3 } as const;

/** An interrupt on its way to local APICs (Intel SDM vol. 3, 12.6 and 12.11). */
export interface InterruptMessage {
  readonly vector: number;
  /** One of DELIVERY. */
  readonly delivery: number;
  readonly isLevel: boolean;
  /** The level of a level-triggered message; INIT with false is the de-assert that modern APICs ignore. */
  readonly isAsserted: boolean;
  readonly isLogical: boolean;
  /** An APIC id or a logical id: 8 bits from an xAPIC, an IOAPIC or an MSI, 32 from an x2APIC. */
  readonly destination: number;
  /** One of SHORTHAND. */
  readonly shorthand: number;
  /** An MSI's redirection hint: one of those that are meant is enough, whatever the delivery. */
  readonly isHinted: boolean;
}

const LOGICAL = 1 << 11;
const ASSERT = 1 << 14;
const LEVEL = 1 << 15;

/** The message that a write to the ICR sends. `destination` as its mode has it: 8 or 32 bits. */
export function fromCommand(low: number, destination: number): InterruptMessage {
  return {
    vector: low & 0xff,
    delivery: (low >>> 8) & 7,
    isLevel: (low & LEVEL) !== 0,
    isAsserted: (low & ASSERT) !== 0,
    isLogical: (low & LOGICAL) !== 0,
    destination,
    shorthand: (low >>> 18) & 3,
    isHinted: false,
  };
}

/** The message of an IOAPIC's redirection entry (82093AA data sheet, 3.2.4). */
export function fromRedirection(high: number, low: number): InterruptMessage {
  return {
    vector: low & 0xff,
    delivery: (low >>> 8) & 7,
    isLevel: (low & LEVEL) !== 0,
    isAsserted: true,
    isLogical: (low & LOGICAL) !== 0,
    destination: high >>> 24,
    shorthand: SHORTHAND.none,
    isHinted: false,
  };
}

const MSI_REDIRECTION_HINT = 1 << 3;
const MSI_LOGICAL = 1 << 2;

/** The message of an MSI (Intel SDM vol. 3, 12.11). The address is not checked for 0xfee: KVM doesn't either. */
export function fromMsi(addressLow: number, destinationHigh: number, data: number): InterruptMessage {
  return {
    vector: data & 0xff,
    delivery: (data >>> 8) & 7,
    isLevel: (data & LEVEL) !== 0,
    isAsserted: true,
    isLogical: (addressLow & MSI_LOGICAL) !== 0,
    destination: (((addressLow >>> 12) & 0xff) | (destinationHigh & 0xffff_ff00)) >>> 0,
    shorthand: SHORTHAND.none,
    isHinted: (addressLow & MSI_REDIRECTION_HINT) !== 0,
  };
}
