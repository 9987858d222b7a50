import { type ErrorCode, UnpinError } from '@unpin/contract/errors';
import { KvmError, SevError } from '@unpin/kvm';
import { BootError, type BootErrorKind } from '../boot/index.ts';

/** What lower rooms throw, in the catalogue's words; anything else is a defect. */
export function toCatalogue(name: string, thrown: unknown): UnpinError {
  if (thrown instanceof UnpinError) return thrown;
  if (thrown instanceof BootError)
    return new UnpinError(BOOT_CODES[thrown.kind], {
      subject: name,
      found: thrown.found,
      needed: thrown.needed,
      cause: thrown,
    });
  if (thrown instanceof KvmError && thrown.code === 'ENOMEM')
    return new UnpinError('MEMORY_EXCEEDS_HOST', { subject: name, found: thrown.message, cause: thrown });
  if (thrown instanceof SevError || thrown instanceof KvmError)
    return new UnpinError('KVM_REFUSED', { subject: name, found: thrown.message, cause: thrown });
  return UnpinError.from(thrown);
}

const BOOT_CODES: Readonly<Record<BootErrorKind, ErrorCode>> = {
  'memory-size': 'MEMORY_INVALID',
  'kernel-too-large': 'BOOT_DOES_NOT_FIT',
  'initrd-too-large': 'BOOT_DOES_NOT_FIT',
  'command-line-too-long': 'BOOT_DOES_NOT_FIT',
  'command-line-malformed': 'LAUNCH_ORDER_INVALID',
  overlap: 'BOOT_DOES_NOT_FIT',
  'bad-entry': 'KERNEL_CORRUPT',
  'bad-setup-header': 'KERNEL_CORRUPT',
  'bad-mapping': 'BOOT_DOES_NOT_FIT',
};
