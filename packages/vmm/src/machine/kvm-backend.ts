import { UnpinError } from '@unpin/contract/errors';
import { type Kvm, KvmError } from '@unpin/kvm';
import type { Execution } from '@unpin/policy';

/**
 * Opens the KVM that an execution needs: this machine's, or the software KVM. Loads the FFI or the engine: only threads
 * that run a guest import it.
 * @throws UnpinError KVM_MISSING, KVM_FORBIDDEN, KVM_REFUSED
 */
export async function openKvm(execution: Execution): Promise<Kvm> {
  switch (execution) {
    case 'hardware':
    case 'shaped':
      return await openMachineKvm();
    case 'emulated': {
      const { openSoftwareKvm } = await import('@unpin/kvm/software');
      return openSoftwareKvm();
    }
  }
}

/** @throws UnpinError KVM_MISSING, KVM_FORBIDDEN, KVM_REFUSED */
export async function openMachineKvm(): Promise<Kvm> {
  const { openLinuxKvm } = await import('@unpin/kvm/linux');
  try {
    return openLinuxKvm();
  } catch (cause) {
    if (!(cause instanceof KvmError)) throw cause;
    throw new UnpinError(CODES[cause.code] ?? 'KVM_REFUSED', { subject: '/dev/kvm', found: cause.code, cause });
  }
}

const CODES: Readonly<Record<string, 'KVM_MISSING' | 'KVM_FORBIDDEN'>> = {
  ENOENT: 'KVM_MISSING',
  ENODEV: 'KVM_MISSING',
  ENXIO: 'KVM_MISSING',
  EACCES: 'KVM_FORBIDDEN',
  EPERM: 'KVM_FORBIDDEN',
};
