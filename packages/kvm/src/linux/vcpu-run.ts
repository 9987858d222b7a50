import type { VcpuExit } from '../port/exit.ts';
import type { KickTarget } from '../port/vcpu.ts';
import { ERRNO, failure, lastErrno } from '../sys/errno.ts';
import { ioctlStruct, type RawIoctl, rawIoctl } from '../sys/ioctl.ts';
import { VCPU_IOCTLS } from '../uapi/ioctls.ts';
import { KVM_RUN_STRUCT } from '../uapi/run-struct.ts';
import { SIGNAL_MASK } from '../uapi/vcpu-structs.ts';
import { ExitReader, INTR } from './exit-reader.ts';
import { type KickReceiver, receiveKicks } from './kick.ts';
import type { RunPage } from './run-page.ts';

const IMMEDIATE_EXIT = KVM_RUN_STRUCT.fields.immediate_exit.offset;
const KVM_RUN = VCPU_IOCTLS.KVM_RUN;
/** sizeof(sigset_t) in the kernel. */
const KERNEL_SIGSET_BYTES = 8;

/** The run loop's side of a vCPU: KVM_RUN and what it needs of the calling thread. Nothing here allocates in a run. */
export class VcpuRunner {
  readonly #fd: number;
  readonly #page: RunPage;
  readonly #exits: ExitReader;
  readonly #ioctl: RawIoctl;
  #kicks: KickReceiver | null = null;
  /** An exit that came up while another one was completed, for the next run to hand out. */
  #hasHeldExit = false;
  /** Bound to a thread, and no exit held: the run can go straight into the kernel. */
  #isReady = false;

  constructor(fd: number, page: RunPage) {
    this.#fd = fd;
    this.#page = page;
    this.#exits = new ExitReader(page);
    this.#ioctl = rawIoctl();
  }

  run(): VcpuExit {
    if (!this.#isReady && this.#prepare()) return this.#exits.read();
    return this.#ioctl(this.#fd, KVM_RUN, 0) === 0 ? this.#exits.read() : this.#refused(lastErrno());
  }

  /**
   * With immediate_exit KVM takes the reply to the pending exit and comes back with EINTR before it enters the guest.
   * An access that KVM splits (a string instruction, an MMIO across pages) may ask for its next part instead: that
   * exit is held for the next run.
   */
  complete(): void {
    if (this.#kicks === null) this.#bind();
    if (this.#hasHeldExit) return;
    this.#page.bytes[IMMEDIATE_EXIT] = 1;
    const result = this.#ioctl(this.#fd, KVM_RUN, 0);
    const errno = result === 0 ? 0 : lastErrno();
    this.#page.bytes[IMMEDIATE_EXIT] = 0;
    if (result === 0) {
      this.#hasHeldExit = true;
      this.#isReady = false;
    } else if (errno !== ERRNO.EINTR) throw failure('KVM_RUN', errno);
    // EINTR by a kick instead of immediate_exit leaves the kick pending: the next run answers it.
  }

  kickTarget(): KickTarget {
    const { tid } = this.#kicks ?? this.#bind();
    return { backend: 'linux', tid, runAddress: this.#page.address };
  }

  /** Answers whether an exit was held for this run. */
  #prepare(): boolean {
    if (this.#kicks === null) this.#bind();
    const hadExit = this.#hasHeldExit;
    this.#hasHeldExit = false;
    this.#isReady = true;
    return hadExit;
  }

  #refused(errno: number): VcpuExit {
    if (errno === ERRNO.EINTR) {
      this.#kicks?.drain();
      return INTR;
    }
    if (errno === ERRNO.EFAULT || errno === ERRNO.EHWPOISON) {
      const fault = this.#exits.readMemoryFault(errno);
      if (fault !== null) return fault;
    }
    throw failure('KVM_RUN', errno);
  }

  /** From now on the calling thread runs this vCPU. */
  #bind(): KickReceiver {
    const kicks = receiveKicks();
    const mask = SIGNAL_MASK.make(KERNEL_SIGSET_BYTES).set('len', KERNEL_SIGSET_BYTES);
    mask.part('sigset').set(kicks.runMask);
    ioctlStruct('KVM_SET_SIGNAL_MASK', this.#fd, VCPU_IOCTLS.KVM_SET_SIGNAL_MASK, mask.bytes);
    this.#kicks = kicks;
    return kicks;
  }
}
