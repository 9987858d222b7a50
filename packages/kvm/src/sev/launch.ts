import { VM_TYPES } from '../uapi/constants.ts';
import type { SevTarget } from './issue.ts';
import { encodeSevPolicy, encodeSnpPolicy, type SevPolicy, type SnpPolicy } from './policy.ts';
import * as sev from './sev-commands.ts';
import * as snp from './snp-commands.ts';

/** A range of guest memory in this process. */
export interface HvaRange {
  readonly hva: number;
  readonly length: number;
}

/** Before the first vCPU: makes a VM a SEV guest, by what its VM type asks for. */
export function initSev(
  target: SevTarget,
  options: sev.SevInitOptions & { readonly encryptedState?: boolean } = {},
): void {
  if (target.vm.handle.type === VM_TYPES.KVM_X86_DEFAULT_VM) sev.legacyInit(target, options.encryptedState === true);
  else sev.init2(target, options);
}

export interface SevLaunchOptions {
  readonly policy: SevPolicy;
  /** What the guest finds in its memory when it starts: encrypted in place, in this order. */
  readonly ranges: readonly HvaRange[];
  readonly dhCertificate?: Uint8Array;
  readonly session?: Uint8Array;
  /** Told the measurement; answers the owner's secret, or null for none. */
  readonly onMeasured?: (measurement: Uint8Array) => sev.LaunchSecret | null;
}

/**
 * Launches a SEV or SEV-ES guest: START, UPDATE_DATA of each range, UPDATE_VMSA for an encrypted state, MEASURE,
 * SECRET if there is one, FINISH. Before it: initSev, memory registered (REG_REGION) and loaded, vCPUs set up.
 * Answers the launch measurement. Throws SevError at the first refusal. Not yet run on AMD hardware.
 */
export function launchSev(target: SevTarget, options: SevLaunchOptions): Uint8Array {
  const { policy, ranges, dhCertificate, session, onMeasured } = options;
  sev.launchStart(target, {
    policy: encodeSevPolicy(policy),
    ...(dhCertificate === undefined ? {} : { dhCertificate }),
    ...(session === undefined ? {} : { session }),
  });
  for (const { hva, length } of ranges) sev.launchUpdateData(target, hva, length);
  if (policy.encryptedState) sev.launchUpdateVmsa(target);
  const measurement = sev.launchMeasure(target);
  const secret = onMeasured?.(measurement) ?? null;
  if (secret !== null) sev.launchSecret(target, secret);
  sev.launchFinish(target);
  return measurement;
}

export interface SnpLaunchOptions extends snp.SnpLaunchFinishOptions {
  readonly policy: SnpPolicy;
  readonly pages: readonly snp.SnpLaunchPages[];
  readonly gosvw?: Uint8Array;
}

/**
 * Launches an SNP guest: START, UPDATE of each range, FINISH. Before it: initSev, guest_memfd slots, the ranges
 * private, vCPUs set up. Throws SevError at the first refusal. Not yet run on AMD hardware.
 */
export function launchSnp(target: SevTarget, options: SnpLaunchOptions): void {
  const { policy, pages, gosvw } = options;
  snp.snpLaunchStart(target, { policy: encodeSnpPolicy(policy), ...(gosvw === undefined ? {} : { gosvw }) });
  for (const range of pages) snp.snpLaunchUpdate(target, range);
  snp.snpLaunchFinish(target, options);
}
