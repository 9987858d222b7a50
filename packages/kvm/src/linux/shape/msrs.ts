/**
 * MSRs of an SEV guest that a KVM without SEV doesn't have. KVM_CAP_X86_USER_SPACE_MSR hands them to the VMM, with
 * reasons "unknown" and "inval".
 */

/** SEV_STATUS (AMD64 APM 2, 15.34.10). */
const SEV_STATUS = 0xc001_0131;
const SEV_ENABLED = 1;

/** MSR_KVM_MIGRATION_CONTROL (Documentation/virt/kvm/x86/msr.rst): the guest says in bit 0 that it may be migrated. */
const MIGRATION_CONTROL = 0x4b56_4d08;

export interface MsrValue {
  readonly high: number;
  readonly low: number;
}

/** State of the MSRs that a shaped VM answers itself. */
export class ShapedMsrs {
  #migration: MsrValue = { high: 0, low: 0 };

  /** The guest has said that it reports its conversions and may be migrated. */
  get isMigrationReady(): boolean {
    return (this.#migration.low & 1) === 1;
  }

  /** Null: not one of these, so the guest's access is refused or somebody else's. */
  read(index: number): MsrValue | null {
    if (index === SEV_STATUS) return { high: 0, low: SEV_ENABLED };
    return index === MIGRATION_CONTROL ? this.#migration : null;
  }

  /** Whether the write is accepted: SEV_STATUS is read-only, and of the other one only bit 0 is defined. */
  write(index: number, high: number, low: number): boolean {
    if (index !== MIGRATION_CONTROL || high !== 0 || low >>> 0 > 1) return false;
    this.#migration = { high, low };
    return true;
  }
}
