import { bytes, struct, u8, u16, u32, u64 } from './struct.ts';

/** KVM_MEMORY_ENCRYPT_OP and its commands (asm/kvm.h; Documentation/virt/kvm/x86/amd-memory-encryption.rst). */
export const SEV_CMD = struct('kvm_sev_cmd', 24, { id: u32(0), data: u64(8), error: u32(16), sev_fd: u32(20) });

/** KVM_SEV_INIT2. */
export const SEV_INIT = struct('kvm_sev_init', 48, { vmsa_features: u64(0), flags: u32(8), ghcb_version: u16(12) });

export const SEV_LAUNCH_START = struct('kvm_sev_launch_start', 40, {
  handle: u32(0),
  policy: u32(4),
  dh_uaddr: u64(8),
  dh_len: u32(16),
  session_uaddr: u64(24),
  session_len: u32(32),
});

export const SEV_LAUNCH_UPDATE_DATA = struct('kvm_sev_launch_update_data', 16, { uaddr: u64(0), len: u32(8) });

export const SEV_LAUNCH_SECRET = struct('kvm_sev_launch_secret', 48, {
  hdr_uaddr: u64(0),
  hdr_len: u32(8),
  guest_uaddr: u64(16),
  guest_len: u32(24),
  trans_uaddr: u64(32),
  trans_len: u32(40),
});

export const SEV_LAUNCH_MEASURE = struct('kvm_sev_launch_measure', 16, { uaddr: u64(0), len: u32(8) });

export const SEV_GUEST_STATUS = struct('kvm_sev_guest_status', 12, { handle: u32(0), policy: u32(4), state: u32(8) });

export const SEV_DBG = struct('kvm_sev_dbg', 24, { src_uaddr: u64(0), dst_uaddr: u64(8), len: u32(16) });

export const SEV_ATTESTATION_REPORT = struct('kvm_sev_attestation_report', 32, {
  mnonce: bytes(0, 16),
  uaddr: u64(16),
  len: u32(24),
});

export const SNP_LAUNCH_START = struct('kvm_sev_snp_launch_start', 64, {
  policy: u64(0),
  gosvw: bytes(8, 16),
  flags: u16(24),
});

export const SNP_LAUNCH_UPDATE = struct('kvm_sev_snp_launch_update', 64, {
  gfn_start: u64(0),
  uaddr: u64(8),
  len: u64(16),
  type: u8(24),
  flags: u16(26),
});

export const SNP_LAUNCH_FINISH = struct('kvm_sev_snp_launch_finish', 88, {
  id_block_uaddr: u64(0),
  id_auth_uaddr: u64(8),
  id_block_en: u8(16),
  auth_key_en: u8(17),
  vcek_disabled: u8(18),
  host_data: bytes(19, 32),
  flags: u16(54),
});
