import { ERRNO, failure, lastErrno } from './errno.ts';
import { symbol } from './libc.ts';

export const POLLIN = 1;
export const POLLERR = 8;
export const POLLHUP = 16;

const pollC = symbol<(fds: Uint8Array, count: number, timeout: number) => number>('poll', 'int', [
  'void *',
  'ulong',
  'int',
]);

/**
 * poll(2): waits until one of `fds` is readable, at most `timeout` milliseconds (-1: for ever). Blocks the thread.
 * Answers the events of each (0: nothing); all 0 at the timeout or when a signal came.
 */
export function pollReadable(fds: readonly number[], timeout: number): Int16Array {
  const words = new Int32Array(fds.length * 2);
  for (const [index, fd] of fds.entries()) {
    words[index * 2] = fd;
    words[index * 2 + 1] = POLLIN;
  }
  // Safety: struct pollfd is {int fd; short events; short revents}: eight bytes each, `fds.length` of them.
  const result = pollC()(new Uint8Array(words.buffer), fds.length, timeout);
  if (result < 0) {
    const errno = lastErrno();
    if (errno !== ERRNO.EINTR) throw failure('poll', errno);
  }
  return Int16Array.from(fds, (_, index) => (words[index * 2 + 1] ?? 0) >> 16);
}
