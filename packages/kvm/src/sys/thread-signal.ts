import { check, ERRNO, failure, lastErrno } from './errno.ts';
import { type Pointer, symbol } from './libc.ts';
import { syscall, trySyscall } from './syscall.ts';

/** pthread_sigmask(3) verbs. */
const SIG_BLOCK = 0;
/** sizeof(sigset_t) in glibc; the kernel reads its first eight bytes. */
const SIGSET_BYTES = 128;
/** SIG_IGN as a pointer. */
const SIG_IGN = 1n;
/** sizeof(struct sigaction) in glibc on x86-64; its first word is the handler. */
const SIGACTION_BYTES = 152;

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
const sigactionC = symbol<(signal: number, action: Pointer, old: Pointer) => number>('sigaction', 'int', [
  'int',
  'void *',
  'void *',
]);

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

/**
 * Makes the process ignore a signal, if it doesn't yet: doing it again would drop pending ones, blocked or not
 * (sigaction(2), POSIX 2.4.3).
 */
export function ignoreSignalOnce(signal: number): void {
  // Safety: both buffers have sizeof(struct sigaction); zeroed flags and mask are valid with SIG_IGN.
  const old = new Uint8Array(SIGACTION_BYTES);
  check('sigaction', sigactionC()(signal, null, old));
  if (new DataView(old.buffer).getBigUint64(0, true) === SIG_IGN) return;
  const action = new Uint8Array(SIGACTION_BYTES);
  new DataView(action.buffer).setBigUint64(0, SIG_IGN, true);
  check('sigaction', sigactionC()(signal, action, null));
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
