import { lastErrno } from './errno.ts';
import { type Pointer, type Pooled, symbol } from './libc.ts';
import { SYSCALL, syscallPointers, trySyscall } from './syscall.ts';

/** io_uring_register(2) operations (linux/io_uring.h). */
export const IORING_REGISTER_BUFFERS = 0;
export const IORING_UNREGISTER_BUFFERS = 1;
export const IORING_REGISTER_BUFFERS2 = 15;
export const IORING_REGISTER_BUFFERS_UPDATE = 16;
/** io_uring_rsrc_register.flags: a table of empty places (Linux ≥ 5.19). */
export const IORING_RSRC_REGISTER_SPARSE = 1;
/** Longest buffer, in bytes. */
export const IORING_MAX_BUFFER_BYTES = 1 << 30;

/** sizeof(struct io_uring_params). */
const PARAMS_BYTES = 120;

/**
 * io_uring_setup(2) with one entry: a ring that is never used for I/O, only to hold pins. Answers its fd (always
 * close-on-exec). Errors: ENOSYS, EPERM (kernel.io_uring_disabled), ENOMEM (RLIMIT_MEMLOCK).
 */
export function createRing(): number {
  // Safety: struct io_uring_params has PARAMS_BYTES bytes, zeroed.
  return syscallPointers('io_uring_setup', 1, new Uint8Array(PARAMS_BYTES));
}

/** io_uring_register(2), answering -errno. Safety: `struct` must be what the operation takes, with `count`'s size. */
export function ringRegister(ring: number, operation: number, struct: Pointer, count: number): number {
  return trySyscall('io_uring_register', ring, operation, struct, count);
}

const syscallPooled = symbol<Pooled<[number: number, ring: number, operation: number, struct: Pointer, count: number]>>(
  'syscall',
  'long',
  ['long', 'long', 'long', 'void *', 'long'],
);

/**
 * The same on a thread of libuv's pool (four, unless UV_THREADPOOL_SIZE says else): for calls of milliseconds.
 *
 * Safety: `struct` and all that it points at must stay reachable and unchanged until the promise settles.
 */
export function ringRegisterPooled(ring: number, operation: number, struct: Pointer, count: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  syscallPooled().async(SYSCALL.io_uring_register, ring, operation, struct, count, (error, result) => {
    // koffi hands the call's errno over to the thread of the callback.
    if (error === null) resolve(result < 0 ? -lastErrno() : result);
    else reject(error);
  });
  return promise;
}
