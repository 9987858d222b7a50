/** To whom a message goes (Intel SDM vol. 3, 12.6.2 and 12.12.9). */
export interface ApicIdentity {
  readonly isX2apic: boolean;
  /** 8 bits for an xAPIC, 32 for an x2APIC. */
  readonly id: number;
  /** The logical destination register: an xAPIC's in bits 31:24. */
  readonly logicalDestination: number;
  /** The destination format register: bits 31:28 are 0xf for flat, 0 for cluster. */
  readonly destinationFormat: number;
}

const XAPIC_BROADCAST = 0xff;
const X2APIC_BROADCAST = 0xffff_ffff;

/** The logical id that an x2APIC derives from its id: a cluster of 16, and one bit in it. */
export function x2apicLogicalId(id: number): number {
  return (((id >>> 4) << 16) | (1 << (id & 0xf))) >>> 0;
}

/**
 * Whether an APIC is meant. `isIpi` tells messages between APICs from those of devices: 0xff from a device reaches
 * x2APICs too (KVM, unless KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK).
 */
export function isMeant(apic: ApicIdentity, destination: number, isLogical: boolean, isIpi: boolean): boolean {
  if (isBroadcast(apic, destination, isIpi)) return true;
  if (!isLogical) return apic.id === destination;
  return apic.isX2apic ? inX2Cluster(apic.logicalDestination, destination) : inXapicSet(apic, destination);
}

function isBroadcast(apic: ApicIdentity, destination: number, isIpi: boolean): boolean {
  if (!apic.isX2apic) return destination === XAPIC_BROADCAST;
  return destination === X2APIC_BROADCAST || (!isIpi && destination === XAPIC_BROADCAST);
}

function inX2Cluster(logicalId: number, destination: number): boolean {
  return logicalId >>> 16 === destination >>> 16 && (logicalId & destination & 0xffff) !== 0;
}

function inXapicSet(apic: ApicIdentity, destination: number): boolean {
  const logicalId = apic.logicalDestination >>> 24;
  switch (apic.destinationFormat >>> 28) {
    case 0xf:
      return (logicalId & destination) !== 0;
    case 0:
      return logicalId >>> 4 === destination >>> 4 && (logicalId & destination & 0xf) !== 0;
    default:
      return false;
  }
}
