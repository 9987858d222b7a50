import { ACCESS } from './access.ts';

/**
 * What a VM's memory protection is, and so how an access finds its side and view:
 *
 * - `none`: one side, raw.
 * - `sev`: the C bit decides the view, the attribute (where there is one) the side; a mismatch is never a fault.
 * - `snp`: as SEV, but a mismatch of C bit and attribute is a memory fault.
 * - `sw-protected`: no C bit and no encryption; the attribute decides the side.
 */
export type MemoryTech = 'none' | 'sev' | 'snp' | 'sw-protected';

/** Bits that make an access private under SEV: besides the C bit, page walks and instruction fetches always are. */
const ALWAYS_PRIVATE = ACCESS.encrypted | ACCESS.walk | ACCESS.execute;

/** Whether an access goes through the guest's key (AMD64 APM 2, 15.34.5), before attributes are looked at. */
export function isEncryptedAccess(tech: MemoryTech, access: number): boolean {
  switch (tech) {
    case 'none':
    case 'sw-protected':
      return false;
    case 'sev':
    case 'snp':
      return (access & ALWAYS_PRIVATE) !== 0;
  }
}
