import { UnpinError } from '@unpin/contract/errors';
import { type Kvm, KvmError } from '@unpin/kvm';

/**
 * Opens this machine's KVM. Loads the FFI: only threads that run or kick a guest import it.
 * @throws UnpinError KVM_MISSING, KVM_FORBIDDEN, KVM_REFUSED
 */
export async function openKvm(): Promise<Kvm> {
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
