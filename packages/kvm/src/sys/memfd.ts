import { check } from './errno.ts';
import { symbol } from './libc.ts';

/** memfd_create(2) flags (linux/memfd.h). */
export const MFD_CLOEXEC = 1;
export const MFD_NOEXEC_SEAL = 8;

const memfdCreateC = symbol<(name: string, flags: number) => number>('memfd_create', 'int', ['str', 'uint']);
const ftruncateC = symbol<(fd: number, length: number) => number>('ftruncate', 'int', ['int', 'int64']);

/** memfd_create(2) with `size` bytes, none of them allocated. Throws KvmError (EMFILE, EFBIG). */
export function createMemfd(name: string, size: number): number {
  const fd = check('memfd_create', memfdCreateC()(name, MFD_CLOEXEC));
  check('ftruncate', ftruncateC()(fd, size));
  return fd;
}
