import type { EventFd } from '../port/event-fd.ts';
import { check, ERRNO, failure } from './errno.ts';
import { closeFile, readFd, writeFd } from './file.ts';
import { symbol } from './libc.ts';

/** eventfd(2) flags. */
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

const eventfdC = symbol<(initial: number, flags: number) => number>('eventfd', 'int', ['uint', 'int']);

export type { EventFd };

/** eventfd(2), non-blocking. Throws KvmError (EMFILE). */
export function createEventFd(): EventFd {
  return openEventFd(check('eventfd', eventfdC()(0, EFD_CLOEXEC | EFD_NONBLOCK)));
}

/** The same eventfd in another thread of the process. */
export function openEventFd(fd: number): EventFd {
  const bytes = new Uint8Array(8);
  const words = new Uint32Array(bytes.buffer);
  return {
    fd,
    signal(count = 1) {
      words[0] = count;
      words[1] = 0;
      const result = writeFd(fd, bytes);
      if (result < 0) throw failure('write eventfd', -result);
    },
    take() {
      const result = readFd(fd, bytes);
      if (result === -ERRNO.EAGAIN) return 0;
      if (result < 0) throw failure('read eventfd', -result);
      return (words[1] ?? 0) * 2 ** 32 + (words[0] ?? 0);
    },
    close: () => closeFile(fd),
  };
}
