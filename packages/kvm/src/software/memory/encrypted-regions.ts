import { PAGE_BYTES } from '../../port/guest-memory.ts';
import type { U64 } from '../../port/u64.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import type { HeldFrames, Pins } from './pins.ts';
import { pagesTouched } from './pins.ts';
import { toU64, wraps } from './u64.ts';

/** The kernel counts a region's pages in a signed 32-bit number. */
const MAX_PAGES = 2 ** 31 - 1;

interface Region {
  readonly hva: number;
  readonly size: number;
  readonly held: HeldFrames;
}

/**
 * One VM's regions of KVM_MEMORY_ENCRYPT_REG_REGION: host memory that is pinned because its pages may be encrypted.
 * The rules are the kernel's (arch/x86/kvm/svm/sev.c): the count against RLIMIT_MEMLOCK is the VM's own, ranges may
 * overlap and count twice, and need not be whole pages.
 */
export class EncryptedRegions {
  readonly #pins: Pins;
  /** Asked at each call: a default VM may become an SEV one. */
  readonly #isSev: () => boolean;
  readonly #regions: Region[] = [];
  #pages = 0;

  constructor(pins: Pins, isSev: () => boolean) {
    this.#pins = pins;
    this.#isSev = isSev;
  }

  /** Bytes of pages that this VM's regions count. */
  get lockedBytes(): number {
    return this.#pages * PAGE_BYTES;
  }

  /** KvmError: ENOTTY where the VM is no SEV one; EINVAL for an empty, wrapping or huge range; ENOMEM. */
  register(hva: U64, size: U64): void {
    const call = 'KVM_MEMORY_ENCRYPT_REG_REGION';
    if (!this.#isSev()) throw failure(call, ERRNO.ENOTTY);
    const start = toU64(hva);
    const length = toU64(size);
    if (length === 0n || wraps(start, length)) throw failure(call, ERRNO.EINVAL);
    const at = Number(start);
    // Beyond 2^53 numbers round; such a range has too many pages or lies where no user memory is.
    const pages = pagesTouched(at, Number(length));
    if (pages > MAX_PAGES) throw failure(call, ERRNO.EINVAL, 'too many pages');
    if ((this.#pages + pages) * PAGE_BYTES > this.#pins.limit)
      throw failure(call, ERRNO.ENOMEM, `${this.#pages + pages} locked pages exceed RLIMIT_MEMLOCK`);
    this.#regions.push({ hva: at, size: Number(length), held: this.#hold(call, at, Number(length)) });
    this.#pages += pages;
  }

  /** KvmError: ENOTTY; EINVAL unless exactly this range was registered. */
  unregister(hva: U64, size: U64): void {
    const call = 'KVM_MEMORY_ENCRYPT_UNREG_REGION';
    if (!this.#isSev()) throw failure(call, ERRNO.ENOTTY);
    const at = this.#regions.findIndex(
      (region) => toU64(hva) === toU64(region.hva) && toU64(size) === toU64(region.size),
    );
    const region = this.#regions[at];
    if (region === undefined) throw failure(call, ERRNO.EINVAL, 'no such region');
    this.#regions.splice(at, 1);
    this.#drop(region);
  }

  /** For snapshots. */
  all(): readonly { readonly hva: number; readonly size: number }[] {
    return this.#regions.map(({ hva, size }) => ({ hva, size }));
  }

  /** The VM is gone. */
  close(): void {
    for (const region of this.#regions.splice(0)) this.#drop(region);
  }

  #drop({ held }: Region): void {
    this.#pages -= held.frames;
    held.release();
  }

  /** The kernel says ENOMEM whenever it can't pin all, also where nothing is mapped. */
  #hold(call: string, hva: number, size: number): HeldFrames {
    try {
      return this.#pins.hold(call, hva, size);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EFAULT')
        throw failure(call, ERRNO.ENOMEM, 'not all of the range could be pinned');
      throw error;
    }
  }
}
