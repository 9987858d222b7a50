/**
 * A guest's policy as launch commands take it. SEV: 32 bits (SEV API, "Guest policy"). SNP: 64 bits (SEV-SNP ABI,
 * "Guest policy"), of which the upper half is unused so far: a number holds them exactly.
 */
export interface SevPolicy {
  /** The hypervisor may not read or write the guest through the firmware's debugging commands. */
  readonly noDebug: boolean;
  readonly noKeySharing: boolean;
  /** Registers are encrypted too (SEV-ES). */
  readonly encryptedState: boolean;
  readonly noSend: boolean;
  /** May not leave the platform's domain. */
  readonly domain: boolean;
  /** May only go where SEV is. */
  readonly sevOnly: boolean;
  /** Oldest firmware API that may run it. */
  readonly apiMajor: number;
  readonly apiMinor: number;
}

const SEV_BITS = {
  noDebug: 1 << 0,
  noKeySharing: 1 << 1,
  encryptedState: 1 << 2,
  noSend: 1 << 3,
  domain: 1 << 4,
  sevOnly: 1 << 5,
} as const;

const SEV_FLAGS = Object.keys(SEV_BITS) as (keyof typeof SEV_BITS)[];

/** What QEMU and libvirt start a SEV guest with: no debugging, keys shared with nobody. */
export const DEFAULT_SEV_POLICY: SevPolicy = {
  noDebug: true,
  noKeySharing: true,
  encryptedState: false,
  noSend: false,
  domain: false,
  sevOnly: false,
  apiMajor: 0,
  apiMinor: 0,
};

export function encodeSevPolicy(policy: SevPolicy): number {
  let bits = 0;
  for (const flag of SEV_FLAGS) if (policy[flag]) bits |= SEV_BITS[flag];
  return (bits | ((policy.apiMajor & 0xff) << 16) | ((policy.apiMinor & 0xff) << 24)) >>> 0;
}

export function decodeSevPolicy(bits: number): SevPolicy {
  const has = (flag: keyof typeof SEV_BITS): boolean => (bits & SEV_BITS[flag]) !== 0;
  return {
    noDebug: has('noDebug'),
    noKeySharing: has('noKeySharing'),
    encryptedState: has('encryptedState'),
    noSend: has('noSend'),
    domain: has('domain'),
    sevOnly: has('sevOnly'),
    apiMajor: (bits >>> 16) & 0xff,
    apiMinor: (bits >>> 24) & 0xff,
  };
}

export interface SnpPolicy {
  readonly abiMinor: number;
  readonly abiMajor: number;
  /** The guest may run with the sibling thread active. KVM refuses a policy without it (EINVAL). */
  readonly smt: boolean;
  readonly migrationAgent: boolean;
  readonly debug: boolean;
  /** Only one socket: KVM refuses it (EINVAL). */
  readonly singleSocket: boolean;
}

export const DEFAULT_SNP_POLICY: SnpPolicy = {
  abiMinor: 0,
  abiMajor: 0,
  smt: true,
  migrationAgent: false,
  debug: false,
  singleSocket: false,
};

const SNP_BITS = { smt: 1 << 16, migrationAgent: 1 << 18, debug: 1 << 19, singleSocket: 1 << 20 } as const;
const SNP_FLAGS = Object.keys(SNP_BITS) as (keyof typeof SNP_BITS)[];
/** "Reserved, must be one." */
const SNP_MUST_BE_ONE = 1 << 17;

export function encodeSnpPolicy(policy: SnpPolicy): number {
  let bits = SNP_MUST_BE_ONE | (policy.abiMinor & 0xff) | ((policy.abiMajor & 0xff) << 8);
  for (const flag of SNP_FLAGS) if (policy[flag]) bits |= SNP_BITS[flag];
  return bits;
}
