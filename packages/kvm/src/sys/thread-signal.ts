import { ERRNO, failure, lastErrno } from './errno.ts';
import { type Pointer, symbol } from './libc.ts';
import { syscall, trySyscall } from './syscall.ts';

/** pthread_sigmask(3) verbs. */
const SIG_BLOCK = 0;
/** sizeof(sigset_t) in glibc; the kernel reads its first eight bytes. */
const SIGSET_BYTES = 128;
/** SIG_IGN as a pointer. */
const SIG_IGN = 1;

const pthreadSigmaskC = symbol<(how: number, set: Pointer, old: Pointer) => number>('pthread_sigmask', 'int', [
  'int',
  'void *',
  'void *',
]);
const sigtimedwaitC = symbol<(set: Uint8Array, info: Pointer, timeout: Uint8Array) => number>('sigtimedwait', 'int', [
  'void *',
  'void *',
  'void *',
]);
const signalC = symbol<(signal: number, handler: number) => number>('signal', 'intptr', ['int', 'intptr']);

const NO_TIME = new Uint8Array(16);

/** A sigset_t with one signal in it. */
function sigset(signal: number): Uint8Array {
  const set = new Uint8Array(SIGSET_BYTES);
  const bit = signal - 1;
  set[bit >> 3] = 1 << (bit & 7);
  return set;
}

/** The kernel's thread id of the calling thread. */
export function threadId(): number {
  return syscall('gettid');
}

/** tgkill(2): sends a signal to one thread of this process. Answers false where the thread is gone (ESRCH). */
export function signalThread(tid: number, signal: number): boolean {
  const result = trySyscall('tgkill', process.pid, tid, signal);
  if (result === 0) return true;
  if (result === -ERRNO.ESRCH) return false;
  throw failure('tgkill', -result);
}

/** signal(2) with SIG_IGN, for the whole process. */
export function ignoreSignal(signal: number): void {
  if (signalC()(signal, SIG_IGN) === -1) throw failure('signal');
}

/** Blocks a signal in the calling thread; answers the kernel's mask as it was before, eight bytes. */
export function blockSignal(signal: number): Uint8Array {
  const before = new Uint8Array(SIGSET_BYTES);
  // Safety: both buffers have sizeof(sigset_t). The answer is the error itself, not -1.
  const errno = pthreadSigmaskC()(SIG_BLOCK, sigset(signal), before);
  if (errno !== 0) throw failure('pthread_sigmask', errno);
  return before.subarray(0, 8);
}

/** Takes a pending blocked signal of the calling thread, without waiting. Answers whether there was one. */
export function drainSignal(set: Uint8Array): boolean {
  // Safety: set has sizeof(sigset_t), info may be NULL, the timespec is two zero longs.
  if (sigtimedwaitC()(set, null, NO_TIME) > 0) return true;
  const errno = lastErrno();
  if (errno === ERRNO.EAGAIN || errno === ERRNO.EINTR) return false;
  throw failure('sigtimedwait', errno);
}

/** The set that drainSignal takes. */
export function signalSet(signal: number): Uint8Array {
  return sigset(signal);
}
