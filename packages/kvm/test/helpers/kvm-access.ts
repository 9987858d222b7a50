import { accessSync, constants } from 'node:fs';

/** Why a test that needs the kernel's KVM can't run here, or false. */
export function lacksKvm(): string | false {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return false;
  } catch (error) {
    return `/dev/kvm can't be opened here: ${error instanceof Error ? error.message : String(error)}`;
  }
}
