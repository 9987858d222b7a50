import type { VmTypeId } from '../vm-type.ts';

/** A memory encryption model of OpenStack Nova (`hw:mem_encryption_model`, `hw_mem_encryption_model`). */
export interface NovaModel {
  readonly model: string;
  /** The VM type whose needs are the model's; absent for Intel TDX, which unpin has no type for. */
  readonly type?: VmTypeId;
  /** Nova locks all of the guest's memory, whatever was asked (`needs_locked_memory`). */
  readonly locksMemory: boolean;
  /** Measured with its firmware, which then must have no memory of its own: `hw_firmware_stateless=true`. */
  readonly stateless: boolean;
  /** No video device may be attached: `hw_video_model=none`. */
  readonly noVideo: boolean;
}

/** Nova's models, by docs.openstack.org/nova/latest/admin/sev.html and its page on TDX. */
export const NOVA_ENCRYPTION: readonly NovaModel[] = [
  { model: 'amd-sev', type: 'sev', locksMemory: true, stateless: false, noVideo: false },
  { model: 'amd-sev-es', type: 'sev-es', locksMemory: true, stateless: false, noVideo: false },
  { model: 'amd-sev-snp', type: 'sev-snp', locksMemory: false, stateless: true, noVideo: false },
  { model: 'intel-tdx', locksMemory: false, stateless: true, noVideo: true },
];

/** What Nova takes where encryption is asked for and no model is named. */
export const NOVA_DEFAULT_MODEL = 'amd-sev';
