import { fstatSync } from 'node:fs';
import { check, lastErrno } from './errno.ts';
import { type Pointer, symbol } from './libc.ts';

/** open(2) flags (asm-generic/fcntl.h). */
export const O_RDONLY = 0;
export const O_RDWR = 2;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

/** fallocate(2) modes (linux/falloc.h). */
export const FALLOC_FL_KEEP_SIZE = 1;
export const FALLOC_FL_PUNCH_HOLE = 2;

const openC = symbol<(path: string, flags: number, mode: number) => number>('open', 'int', ['str', 'int', 'int']);
const closeC = symbol<(fd: number) => number>('close', 'int', ['int']);
const readC = symbol<(fd: number, to: Pointer, length: number) => number>('read', 'long', ['int', 'void *', 'size_t']);
const writeC = symbol<(fd: number, from: Pointer, length: number) => number>('write', 'long', [
  'int',
  'void *',
  'size_t',
]);
const fallocateC = symbol<(fd: number, mode: number, offset: number | bigint, length: number | bigint) => number>(
  'fallocate',
  'int',
  ['int', 'int', 'int64', 'int64'],
);

/**
 * open(2), always close-on-exec. Not node:fs: Node closes what it opened when a Worker ends, and these outlive theirs.
 * Throws KvmError.
 */
export function openFile(path: string, flags: number): number {
  return check(`open ${path}`, openC()(path, flags | O_CLOEXEC, 0));
}

/** close(2). Throws KvmError (EBADF: a bug, never ignored). */
export function closeFile(fd: number): void {
  check('close', closeC()(fd));
}

/** read(2) into all of `bytes`: how many were read, or -errno. */
export function readFd(fd: number, bytes: Uint8Array): number {
  // Safety: the length is the buffer's own.
  const count = readC()(fd, bytes, bytes.length);
  return count < 0 ? -lastErrno() : count;
}

/** write(2) of all of `bytes`: how many were written, or -errno. */
export function writeFd(fd: number, bytes: Uint8Array): number {
  // Safety: the length is the buffer's own.
  const count = writeC()(fd, bytes, bytes.length);
  return count < 0 ? -lastErrno() : count;
}

/** fallocate(2). Offsets and lengths above 2^53 as bigint. Throws KvmError. */
export function fallocate(fd: number, mode: number, offset: number | bigint, length: number | bigint): void {
  check('fallocate', fallocateC()(fd, mode, signed(offset), signed(length)));
}

/** Bytes of blocks that a file occupies (fstat st_blocks × 512). A guest_memfd always answers 0: see cachestat. */
export function allocatedFileBytes(fd: number): number {
  return fstatSync(fd).blocks * 512;
}

/** loff_t is signed: 2^63 and above turn negative, for the kernel to refuse. */
function signed(value: number | bigint): number | bigint {
  return typeof value === 'bigint' ? BigInt.asIntN(64, value) : value;
}
