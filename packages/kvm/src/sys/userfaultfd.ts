import { KvmError } from '../port/errors.ts';
import { closeFile, O_CLOEXEC, O_NONBLOCK, O_RDWR, openFile } from './file.ts';
import { ioctl } from './ioctl.ts';
import { syscall } from './syscall.ts';

/** _IO(0xAA, 0x00): creates one from /dev/userfaultfd (Linux ≥ 6.1). */
const USERFAULTFD_IOC_NEW = 0xaa00;

/**
 * A userfaultfd, non-blocking, for faults of the kernel as well (KVM faults guest pages in from kernel mode).
 * /dev/userfaultfd asks only for the right to open the device; the system call for CAP_SYS_PTRACE or the sysctl
 * vm.unprivileged_userfaultfd. Errors: EPERM, ENOSYS.
 */
export function createUserfaultFd(): number {
  let device: number;
  try {
    device = openFile('/dev/userfaultfd', O_RDWR);
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    return syscall('userfaultfd', O_CLOEXEC | O_NONBLOCK);
  }
  try {
    return ioctl('USERFAULTFD_IOC_NEW', device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
  } finally {
    closeFile(device);
  }
}
