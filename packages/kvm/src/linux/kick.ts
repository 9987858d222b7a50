import type { Kicker, KickTarget } from '../port/vcpu.ts';
import { blockSignal, drainSignal, ignoreSignalOnce, signalSet, signalThread, threadId } from '../sys/thread-signal.ts';

/**
 * SIGSTKFLT: nothing on Linux sends it, and it is no real-time signal, so that repeated kicks are one and never fill
 * the queue.
 *
 * How a kick is never lost and never kills. The thread blocks the signal, so a kick stays pending; KVM_RUN unblocks it
 * for its own duration (KVM_SET_SIGNAL_MASK) and answers EINTR, at once if it was pending; then the thread takes it.
 * The process ignores the signal: one that arrives at a thread that doesn't block it (the thread ended, its id was used
 * again) does nothing. A blocked signal is kept although it is ignored, also while KVM_RUN has swapped the mask.
 */
const KICK_SIGNAL = 16;

/** Must come before the first kick can be pending in this process: ignoring a signal anew drops pending ones. */
export function prepareKicks(): void {
  ignoreSignalOnce(KICK_SIGNAL);
}

/** The calling thread's side of kicks. */
export interface KickReceiver {
  readonly tid: number;
  /** The kernel's signal mask for KVM_RUN, eight bytes: the thread's own without the kick. */
  readonly runMask: Uint8Array;
  /** Takes a pending kick. Answers whether there was one. */
  drain(): boolean;
}

/** Makes the calling thread receive kicks. */
export function receiveKicks(): KickReceiver {
  prepareKicks();
  const before = blockSignal(KICK_SIGNAL);
  const kicks = signalSet(KICK_SIGNAL);
  const runMask = before.map((byte, index) => byte & ~(kicks[index] ?? 0));
  return { tid: threadId(), runMask, drain: () => drainSignal(kicks) };
}

/** Kicks a vCPU's thread, from any thread of the process. A thread that has ended needs no kick. */
export class LinuxKicker implements Kicker {
  readonly #tid: number;

  constructor(target: KickTarget) {
    if (target.backend !== 'linux') throw new TypeError(`a kick target of the ${target.backend} backend`);
    this.#tid = target.tid;
  }

  kick(): void {
    signalThread(this.#tid, KICK_SIGNAL);
  }
}
