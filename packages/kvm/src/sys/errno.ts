import { constants } from 'node:os';
import { KvmError } from '../port/errors.ts';
import { ffi } from './libc.ts';

/** What os.constants lacks and KVM answers. */
const MORE = { EHWPOISON: 133, ERFKILL: 132, EUSERS: 87 } as const;

/** Number → symbol. EAGAIN and EOPNOTSUPP win over their aliases, as errno(3) lists them. */
const NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  ...Object.entries(MORE).map(([name, value]) => [value, name] as const),
  ...Object.entries(constants.errno).map(([name, value]) => [value, name] as const),
  [constants.errno.EAGAIN, 'EAGAIN'],
  [constants.errno.EOPNOTSUPP, 'EOPNOTSUPP'],
]);

/** Errno numbers used by name in this package. */
export const ERRNO = { ...constants.errno, ...MORE } as const;

/** `EINVAL` for 22; `E<number>` where errno(3) has no name. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

/**
 * errno of the last libc call of this thread. To be asked at once: anything that may allocate between the call and this
 * may run libc code of its own.
 */
export function lastErrno(): number {
  return ffi().errno();
}

/** The error for a call that just failed. */
export function failure(call: string, errno: number = lastErrno(), detail?: string): KvmError {
  return new KvmError(call, errno, errnoName(errno), detail);
}

/** Answers `result`, or throws KvmError with errno where it is negative. */
export function check(call: string, result: number): number {
  if (result < 0) throw failure(call);
  return result;
}
