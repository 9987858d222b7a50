import { SevError } from '../port/errors.ts';
import {
  SEV_ATTESTATION_REPORT,
  SEV_GUEST_STATUS,
  SEV_INIT,
  SEV_LAUNCH_MEASURE,
  SEV_LAUNCH_SECRET,
  SEV_LAUNCH_START,
  SEV_LAUNCH_UPDATE_DATA,
} from '../uapi/sev-structs.ts';
import { guestStateName, type SevGuestState } from './guest-state.ts';
import { issue, type SevTarget, withAddresses } from './issue.ts';

/**
 * The commands of SEV and SEV-ES guests (Documentation/virt/kvm/x86/amd-memory-encryption.rst). Each throws SevError
 * with KVM's errno and the firmware's code. Checked against the kernel's structs; not yet run on AMD hardware.
 */

/** SEV_RET_INVALID_LEN: also how the firmware answers the question for a length. */
const INVALID_LEN = 4;

export interface SevInitOptions {
  /** Bits of SEV_FEATURES for the VMSA; 0 for SEV. */
  readonly vmsaFeatures?: bigint;
  /** 0 lets KVM choose; at most 2, and 0 for SEV. */
  readonly ghcbVersion?: number;
}

/** Before the first vCPU. Only for VMs of a SEV type: EINVAL for others, and for features that KVM lacks. */
export function init2(target: SevTarget, options: SevInitOptions = {}): void {
  const init = SEV_INIT.make().set('vmsa_features', options.vmsaFeatures ?? 0n);
  issue(target, 'KVM_SEV_INIT2', init.set('ghcb_version', options.ghcbVersion ?? 0).bytes);
}

/** The way before Linux 6.10, only for default VMs: keeps the launch measurements of SEV-ES images as they were. */
export function legacyInit(target: SevTarget, encryptedState: boolean): void {
  issue(target, encryptedState ? 'KVM_SEV_ES_INIT' : 'KVM_SEV_INIT');
}

export interface LaunchStartOptions {
  /** encodeSevPolicy. */
  readonly policy: number;
  /** A handle to share a key with; 0 for a key of its own. */
  readonly handle?: number;
  /** The guest owner's Diffie-Hellman certificate and session, for secrets; both or none. */
  readonly dhCertificate?: Uint8Array;
  readonly session?: Uint8Array;
}

/** Makes the guest's key. Answers the firmware's handle. */
export function launchStart(target: SevTarget, options: LaunchStartOptions): number {
  const { policy, handle = 0, dhCertificate = null, session = null } = options;
  return withAddresses([dhCertificate, session], ([dh = 0, owner = 0]) => {
    const start = SEV_LAUNCH_START.make().set('handle', handle).set('policy', policy);
    start.set('dh_uaddr', dh).set('dh_len', dhCertificate?.length ?? 0);
    start.set('session_uaddr', owner).set('session_len', session?.length ?? 0);
    issue(target, 'KVM_SEV_LAUNCH_START', start.bytes);
    return start.get('handle');
  });
}

/** Encrypts a range of the guest in place and measures it. 16-byte aligned; KVM pins it for the call. */
export function launchUpdateData(target: SevTarget, hva: number, length: number): void {
  issue(target, 'KVM_SEV_LAUNCH_UPDATE_DATA', SEV_LAUNCH_UPDATE_DATA.make().set('uaddr', hva).set('len', length).bytes);
}

/** SEV-ES: encrypts and measures the registers of all vCPUs, which must be as the guest shall start. */
export function launchUpdateVmsa(target: SevTarget): void {
  issue(target, 'KVM_SEV_LAUNCH_UPDATE_VMSA');
}

/** The launch measurement. No more data afterwards. */
export function launchMeasure(target: SevTarget): Uint8Array {
  const blob = new Uint8Array(measurementLength(target));
  withAddresses([blob], ([uaddr = 0]) => {
    issue(
      target,
      'KVM_SEV_LAUNCH_MEASURE',
      SEV_LAUNCH_MEASURE.make().set('uaddr', uaddr).set('len', blob.length).bytes,
    );
  });
  return blob;
}

/** KVM answers the length question with the firmware's refusal, and the length all the same. */
function measurementLength(target: SevTarget): number {
  const question = SEV_LAUNCH_MEASURE.make();
  try {
    issue(target, 'KVM_SEV_LAUNCH_MEASURE', question.bytes);
  } catch (error) {
    if (!(error instanceof SevError && error.firmwareError === INVALID_LEN)) throw error;
  }
  return question.get('len');
}

/** A secret that the guest's owner has wrapped for this launch. */
export interface LaunchSecret {
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
  /** Where it goes: an address in this process, inside guest memory. */
  readonly guestHva: number;
  readonly guestLength: number;
}

/** After the measurement. */
export function launchSecret(target: SevTarget, secret: LaunchSecret): void {
  withAddresses([secret.header, secret.payload], ([header = 0, payload = 0]) => {
    const struct = SEV_LAUNCH_SECRET.make().set('hdr_uaddr', header).set('hdr_len', secret.header.length);
    struct.set('guest_uaddr', secret.guestHva).set('guest_len', secret.guestLength);
    struct.set('trans_uaddr', payload).set('trans_len', secret.payload.length);
    issue(target, 'KVM_SEV_LAUNCH_SECRET', struct.bytes);
  });
}

/** The guest may run. */
export function launchFinish(target: SevTarget): void {
  issue(target, 'KVM_SEV_LAUNCH_FINISH');
}

export interface SevGuestStatus {
  readonly handle: number;
  /** decodeSevPolicy. */
  readonly policy: number;
  readonly state: SevGuestState;
}

export function guestStatus(target: SevTarget): SevGuestStatus {
  const status = SEV_GUEST_STATUS.make();
  issue(target, 'KVM_SEV_GUEST_STATUS', status.bytes);
  return {
    handle: status.get('handle'),
    policy: status.get('policy'),
    state: guestStateName(status.get('state')),
  };
}

/** The signed report of a running guest; `nonce` is 16 bytes of its owner's. */
export function attestationReport(target: SevTarget, nonce: Uint8Array): Uint8Array {
  if (nonce.length !== 16) throw new RangeError(`a nonce of 16 bytes, not ${nonce.length}`);
  const ask = (blob: Uint8Array | null): number =>
    withAddresses([blob], ([uaddr = 0]) => {
      const struct = SEV_ATTESTATION_REPORT.make()
        .set('uaddr', uaddr)
        .set('len', blob?.length ?? 0);
      struct.part('mnonce').set(nonce);
      try {
        issue(target, 'KVM_SEV_GET_ATTESTATION_REPORT', struct.bytes);
      } catch (error) {
        const isAnswer = blob === null && error instanceof SevError && error.firmwareError === INVALID_LEN;
        if (!isAnswer) throw error;
      }
      return struct.get('len');
    });
  const report = new Uint8Array(ask(null));
  ask(report);
  return report;
}
