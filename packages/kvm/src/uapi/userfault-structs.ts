import { ior, iowr } from './ioctl-number.ts';
import { struct, u8, u64 } from './struct.ts';

const UFFDIO = 0xaa;

/** linux/userfaultfd.h. */
export const UFFD_IOCTLS = {
  UFFDIO_API: iowr(UFFDIO, 0x3f, 24),
  UFFDIO_REGISTER: iowr(UFFDIO, 0x00, 32),
  UFFDIO_UNREGISTER: ior(UFFDIO, 0x01, 16),
  UFFDIO_WAKE: ior(UFFDIO, 0x02, 16),
  UFFDIO_COPY: iowr(UFFDIO, 0x03, 40),
  UFFDIO_ZEROPAGE: iowr(UFFDIO, 0x04, 32),
} as const;

export const UFFD_CONSTANTS = {
  UFFD_API: 0xaa,
  UFFDIO_REGISTER_MODE_MISSING: 1 << 0,
  UFFDIO_COPY_MODE_DONTWAKE: 1 << 0,
  UFFDIO_ZEROPAGE_MODE_DONTWAKE: 1 << 0,
  UFFD_EVENT_PAGEFAULT: 0x12,
  UFFD_PAGEFAULT_FLAG_WRITE: 1 << 0,
  UFFD_FEATURE_MISSING_SHMEM: 1 << 5,
} as const;

export const UFFD_API = struct('uffdio_api', 24, { api: u64(0), features: u64(8), ioctls: u64(16) });
export const UFFD_RANGE = struct('uffdio_range', 16, { start: u64(0), len: u64(8) });
export const UFFD_REGISTER = struct('uffdio_register', 32, {
  'range.start': u64(0),
  'range.len': u64(8),
  mode: u64(16),
  ioctls: u64(24),
});
export const UFFD_COPY = struct('uffdio_copy', 40, {
  dst: u64(0),
  src: u64(8),
  len: u64(16),
  mode: u64(24),
  copy: u64(32),
});
export const UFFD_ZEROPAGE = struct('uffdio_zeropage', 32, {
  'range.start': u64(0),
  'range.len': u64(8),
  mode: u64(16),
  zeropage: u64(24),
});
/** struct uffd_msg, read from the userfaultfd. */
export const UFFD_MESSAGE = struct('uffd_msg', 32, {
  event: u8(0),
  'arg.pagefault.flags': u64(8),
  'arg.pagefault.address': u64(16),
});
