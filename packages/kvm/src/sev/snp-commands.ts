import { SevError } from '../port/errors.ts';
import { SNP_PAGE_TYPES } from '../uapi/sev-constants.ts';
import { SNP_LAUNCH_FINISH, SNP_LAUNCH_START, SNP_LAUNCH_UPDATE } from '../uapi/sev-structs.ts';
import { issue, type SevTarget, withAddresses } from './issue.ts';

/**
 * The launch of SEV-SNP guests (Documentation/virt/kvm/x86/amd-memory-encryption.rst). Each throws SevError. Checked
 * against the kernel's structs; not yet run on AMD hardware.
 */

const PAGE_SHIFT = 12;

/** What a page of the launch is to the guest. */
export type SnpPageType = 'normal' | 'zero' | 'unmeasured' | 'secrets' | 'cpuid';

const PAGE_TYPE: Readonly<Record<SnpPageType, number>> = {
  normal: SNP_PAGE_TYPES.KVM_SEV_SNP_PAGE_TYPE_NORMAL,
  zero: SNP_PAGE_TYPES.KVM_SEV_SNP_PAGE_TYPE_ZERO,
  unmeasured: SNP_PAGE_TYPES.KVM_SEV_SNP_PAGE_TYPE_UNMEASURED,
  secrets: SNP_PAGE_TYPES.KVM_SEV_SNP_PAGE_TYPE_SECRETS,
  cpuid: SNP_PAGE_TYPES.KVM_SEV_SNP_PAGE_TYPE_CPUID,
};

export interface SnpLaunchStartOptions {
  /** encodeSnpPolicy. */
  readonly policy: number;
  /** Guest OS visible workarounds, 16 bytes. */
  readonly gosvw?: Uint8Array;
}

/** Makes the guest's context. */
export function snpLaunchStart(target: SevTarget, options: SnpLaunchStartOptions): void {
  const start = SNP_LAUNCH_START.make().set('policy', options.policy);
  if (options.gosvw !== undefined) start.part('gosvw').set(options.gosvw);
  issue(target, 'KVM_SEV_SNP_LAUNCH_START', start.bytes);
}

/** One page-aligned range of the launch, whose GPAs are in a guest_memfd slot and private already. */
export interface SnpLaunchPages {
  readonly gpa: number;
  readonly length: number;
  readonly type: SnpPageType;
  /** Address in this process of the contents; 0 for zero pages. */
  readonly hva: number;
}

/**
 * Copies a range into the guest's private memory, encrypts and measures it. KVM may stop midway, writing what is left
 * into the struct: it is asked again until nothing is.
 */
export function snpLaunchUpdate(target: SevTarget, pages: SnpLaunchPages): void {
  const update = SNP_LAUNCH_UPDATE.make()
    .set('gfn_start', pages.gpa / 2 ** PAGE_SHIFT)
    .set('uaddr', pages.hva);
  update.set('len', pages.length).set('type', PAGE_TYPE[pages.type]);
  for (let left = pages.length; left > 0; ) {
    try {
      issue(target, 'KVM_SEV_SNP_LAUNCH_UPDATE', update.bytes);
    } catch (error) {
      if (!(error instanceof SevError && error.code === 'EAGAIN')) throw error;
      continue;
    }
    // Kernels that do all at once leave the length as it was.
    const now = update.get('len');
    left = now < left ? now : 0;
  }
}

export interface SnpLaunchFinishOptions {
  /** ID block and its signature, for guests that name their owner; both or none. */
  readonly idBlock?: Uint8Array;
  readonly idAuthentication?: Uint8Array;
  readonly authorKey?: boolean;
  /** Reports are signed by VLEK instead of VCEK. */
  readonly vcekDisabled?: boolean;
  /** 32 bytes that attestation reports carry. */
  readonly hostData?: Uint8Array;
}

/** Measures the vCPUs' registers too; the guest may run. */
export function snpLaunchFinish(target: SevTarget, options: SnpLaunchFinishOptions = {}): void {
  const { idBlock = null, idAuthentication = null, hostData } = options;
  withAddresses([idBlock, idAuthentication], ([block = 0, authentication = 0]) => {
    const finish = SNP_LAUNCH_FINISH.make().set('id_block_uaddr', block).set('id_auth_uaddr', authentication);
    finish.set('id_block_en', idBlock === null ? 0 : 1).set('auth_key_en', options.authorKey === true ? 1 : 0);
    finish.set('vcek_disabled', options.vcekDisabled === true ? 1 : 0);
    if (hostData !== undefined) finish.part('host_data').set(hostData);
    issue(target, 'KVM_SEV_SNP_LAUNCH_FINISH', finish.bytes);
  });
}
