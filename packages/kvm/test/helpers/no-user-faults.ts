import { UserFaults } from '../../src/linux/user-fault.ts';
import { KvmError } from '../../src/port/index.ts';
import { noGuestHere } from './shaped-guest.ts';

/** False, or why this process may not handle kernel faults. */
export function noUserFaults(): string | false {
  try {
    UserFaults.create().close();
    return noGuestHere();
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    return `no userfaultfd for kernel faults: ${error.message}`;
  }
}
