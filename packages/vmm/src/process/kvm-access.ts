import { accessSync, constants, existsSync } from 'node:fs';
import { UnpinError } from '@unpin/contract/errors';

const DEVICE = '/dev/kvm';

/** @throws UnpinError KVM_MISSING, KVM_FORBIDDEN */
export function checkKvmAccess(): void {
  if (!existsSync(DEVICE))
    throw new UnpinError('KVM_MISSING', {
      subject: DEVICE,
      next: 'unpin doctor; where virtualization is off, `--test-host` brings a host of its own',
    });
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new UnpinError('KVM_FORBIDDEN', {
      subject: DEVICE,
      needed: 'read and write access, usually by membership of the group kvm',
      next: 'sudo usermod -aG kvm "$USER"',
      cause,
    });
  }
}
