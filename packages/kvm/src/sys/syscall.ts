import { check, lastErrno } from './errno.ts';
import { type Pointer, symbol } from './libc.ts';

/** System calls without a libc wrapper everywhere, by x86-64 number (asm/unistd_64.h). */
export const SYSCALL = {
  gettid: 186,
  tgkill: 234,
  userfaultfd: 323,
  io_uring_setup: 425,
  io_uring_register: 427,
  cachestat: 451,
} as const;

const syscallC = symbol<(number: number, a: number, b: number, c: Pointer, d: number) => number>('syscall', 'long', [
  'long',
  'long',
  'long',
  'void *',
  'long',
]);
const syscallSecondPointer = symbol<(number: number, a: number, b: Pointer, c: Pointer, d: number) => number>(
  'syscall',
  'long',
  ['long', 'long', 'void *', 'void *', 'long'],
);

/** syscall(2) of (number, number, pointer or number, number). Throws KvmError. */
export function syscall(name: keyof typeof SYSCALL, a = 0, b = 0, c: Pointer = 0, d = 0): number {
  return check(name, syscallC()(SYSCALL[name], a, b, c, d));
}

/** syscall(2) of (number, pointer, pointer, number). Throws KvmError. Safety: the callee's struct sizes. */
export function syscallPointers(name: keyof typeof SYSCALL, a: number, b: Pointer, c: Pointer = 0, d = 0): number {
  return check(name, syscallSecondPointer()(SYSCALL[name], a, b, c, d));
}

/** The same as syscall, answering -errno. */
export function trySyscall(name: keyof typeof SYSCALL, a = 0, b = 0, c: Pointer = 0, d = 0): number {
  const result = syscallC()(SYSCALL[name], a, b, c, d);
  return result < 0 ? -lastErrno() : result;
}
