import { check, lastErrno } from './errno.ts';
import { type Pointer, symbol } from './libc.ts';

export type RawIoctl = (fd: number, request: number, arg: number) => number;

/** ioctl(2) with a number as its argument. */
const withNumber = symbol<RawIoctl>('ioctl', 'int', ['int', 'ulong', 'long']);
const withPointer = symbol<(fd: number, request: number, arg: Pointer) => number>('ioctl', 'int', [
  'int',
  'ulong',
  'void *',
]);

/** ioctl(2) whose argument is a number. `name` is the request's, for the error. Throws KvmError. */
export function ioctl(name: string, fd: number, request: number, arg = 0): number {
  return check(name, withNumber()(fd, request, arg));
}

/**
 * ioctl(2) whose argument is a struct, read and written in place. Throws KvmError.
 *
 * Safety: the kernel copies as many bytes as the request says; the caller must pass at least that many.
 */
export function ioctlStruct(name: string, fd: number, request: number, struct: Pointer): number {
  return check(name, withPointer()(fd, request, struct));
}

/** The same, answering -errno instead of throwing. */
export function tryIoctl(fd: number, request: number, arg: number): number {
  const result = withNumber()(fd, request, arg);
  return result < 0 ? -lastErrno() : result;
}

/** The same, answering -errno instead of throwing. Safety as ioctlStruct. */
export function tryIoctlStruct(fd: number, request: number, struct: Pointer): number {
  const result = withPointer()(fd, request, struct);
  return result < 0 ? -lastErrno() : result;
}

/** The bound function itself, for a loop that can't afford a wrapper. Answers -1 and sets errno. */
export function rawIoctl(): RawIoctl {
  return withNumber();
}

/** FIOCLEX (asm-generic/ioctls.h): closes the descriptor in a child that this process starts. */
export function closeOnExec(fd: number): void {
  ioctl('FIOCLEX', fd, 0x5451);
}
