import { struct, u32, u64 } from './struct.ts';

/** linux/io_uring.h: only what a table of registered buffers needs. */
export const IO_URING_RSRC_REGISTER = struct('io_uring_rsrc_register', 32, {
  nr: u32(0),
  flags: u32(4),
  data: u64(16),
  tags: u64(24),
});

export const IO_URING_RSRC_UPDATE2 = struct('io_uring_rsrc_update2', 32, {
  offset: u32(0),
  data: u64(8),
  tags: u64(16),
  nr: u32(24),
});

/** struct iovec (bits/types/struct_iovec.h). */
export const IOVEC = struct('iovec', 16, { iov_base: u64(0), iov_len: u64(8) });
