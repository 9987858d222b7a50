import { Worker } from 'node:worker_threads';
import { type HostMemory, KvmError, type OnFaultFigures, type OnFaultPinning } from '../../port/index.ts';
import { errnoName } from '../../sys/errno.ts';
import { linuxMemory } from '../host-memory.ts';
import * as at from './on-fault-words.ts';

/** Counted in granules of 2 MiB; the last one of a range may be shorter. */
export interface GranuleFigures extends OnFaultFigures {
  /** Granules that were touched. */
  readonly granules: number;
}

/** Closing gives the memory back to the kernel's own faults. */
export interface GranulePinning extends OnFaultPinning {
  figures(): GranuleFigures;
}

/** `.ts` in a checkout, `.js` where the package was built. */
const WORKER = new URL(`on-fault-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** Longest wait for the serving thread to end, in milliseconds. */
const CLOSE_LIMIT_MS = 10_000;

/**
 * Deferred pinning, as the 2022 RFC proposed it: a fault brings in and pins the 2 MiB around it before the guest goes
 * on, and nothing is unpinned until the end. Served by a thread of its own through userfaultfd, also for faults of KVM
 * itself and of this process; call it before anything is loaded. What is resident already is pinned first.
 *
 * The serving thread needs nothing of its parent's event loop, so a vCPU may run in the calling thread; it ends with it.
 * Throws KvmError: EPERM without the right to handle kernel faults (root, CAP_SYS_PTRACE or /dev/userfaultfd), EINVAL
 * for a guest_memfd, ENOMEM over RLIMIT_MEMLOCK where the resident part can't be pinned.
 */
export async function pinOnFault(memory: HostMemory): Promise<GranulePinning> {
  const words = new Int32Array(new SharedArrayBuffer(at.WORDS * 4));
  const job: at.OnFaultJob = { memory: linuxMemory(memory.handle), words };
  const worker = new Worker(WORKER, { workerData: job });
  await serving(worker);
  worker.unref();
  const pinning = { figures: () => figuresOf(words), close: () => end(words) };
  const { failures, firstErrno } = pinning.figures();
  if (failures === 0) return pinning;
  pinning.close();
  throw new KvmError('pin', firstErrno, errnoName(firstErrno), 'memory that was resident before the start');
}

function serving(worker: Worker): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.on('message', (message: at.OnFaultMessage) => {
    if (message.kind === 'serving') resolve();
    else reject(new KvmError(message.call, message.errno, errnoName(message.errno), message.detail));
  });
  worker.once('error', reject);
  worker.once('exit', () => reject(new Error('the thread that pins on fault ended before it began')));
  return promise;
}

function figuresOf(words: Int32Array): GranuleFigures {
  return {
    granules: Atomics.load(words, at.GRANULES),
    pinnedBytes: Atomics.load(words, at.PINNED_KIB) * 1024,
    failures: Atomics.load(words, at.FAILURES),
    firstErrno: Atomics.load(words, at.FIRST_ERRNO),
  };
}

function end(words: Int32Array): void {
  Atomics.compareExchange(words, at.STATE, at.SERVING, at.ENDING);
  if (Atomics.load(words, at.STATE) === at.ENDED) return;
  if (Atomics.wait(words, at.STATE, at.ENDING, CLOSE_LIMIT_MS) === 'timed-out')
    throw new Error('the thread that pins on fault does not end');
}
