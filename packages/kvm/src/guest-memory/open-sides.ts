import type { GuestMemfd, HostMemory, Kvm, Vm } from '../port/index.ts';
import { CAPS, MEMORY_FLAGS } from '../uapi/constants.ts';
import type { Side } from './two-sides.ts';

/** A guest_memfd that user space can map, its pages shared from the start. */
const SHARED_GUEST_MEMFD = MEMORY_FLAGS.GUEST_MEMFD_FLAG_MMAP | MEMORY_FLAGS.GUEST_MEMFD_FLAG_INIT_SHARED;

/** Whether a VM can have such a guest_memfd; asked on the VM, /dev/kvm answers for any VM. */
export function hasSharedGuestMemfd(vm: Vm): boolean {
  return (
    vm.checkExtension(CAPS.KVM_CAP_GUEST_MEMFD) > 0 &&
    (vm.checkExtension(CAPS.KVM_CAP_GUEST_MEMFD_FLAGS) & SHARED_GUEST_MEMFD) === SHARED_GUEST_MEMFD
  );
}

/** A guest_memfd mapped whole. Errors: EINVAL or ENOTTY on a KVM without (see hasSharedGuestMemfd). */
export function openGuestMemfdSide(kvm: Kvm, vm: Vm, bytes: number): { memory: HostMemory; guestMemfd: GuestMemfd } {
  const guestMemfd = vm.createGuestMemfd(bytes, SHARED_GUEST_MEMFD);
  try {
    return { memory: kvm.mapGuestMemfd(guestMemfd.fd, bytes), guestMemfd };
  } catch (error) {
    guestMemfd.close();
    throw error;
  }
}

/** What stands for private memory in a shaped VM: a guest_memfd where the kernel has one for its VMs, else a memfd. */
export function openPrivateSide(kvm: Kvm, vm: Vm, bytes: number): Side {
  if (hasSharedGuestMemfd(vm)) return openGuestMemfdSide(kvm, vm, bytes);
  return { memory: kvm.allocateMemfd('guest-private', bytes), guestMemfd: null };
}

/**
 * User memory of the shared view. A memfd rather than anonymous memory: a file can say what it holds of a terabyte
 * without walking it.
 */
export function openSharedSide(kvm: Kvm, bytes: number): Side {
  return { memory: kvm.allocateMemfd('guest-shared', bytes), guestMemfd: null };
}
