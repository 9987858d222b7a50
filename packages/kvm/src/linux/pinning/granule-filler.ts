import type { HostMemory } from '../../port/index.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { tryIoctlStruct } from '../../sys/ioctl.ts';
import { iowr } from '../../uapi/ioctl-number.ts';
import { struct, u64 } from '../../uapi/struct.ts';
import { allocateAnonymous } from '../allocate.ts';
import type { UserFaults } from '../user-fault.ts';

/** A huge page of x86, in bytes: what one fault brings in. */
export const GRANULE_BYTES = 2 << 20;

/** linux/userfaultfd.h, Linux ≥ 6.8. */
const UFFDIO_MOVE = iowr(0xaa, 0x05, 40);
const UFFDIO_MOVE_MODE_DONTWAKE = 1;
const MOVE = struct('uffdio_move', 40, { dst: u64(0), src: u64(8), len: u64(16), mode: u64(24), move: u64(32) });

/**
 * Fills missing granules of registered memory with zeros, waking nobody. A huge page is made beside it and moved in
 * (Linux ≥ 6.8); before that, small pages are copied in, which makes the guest's page tables longer.
 */
export class GranuleFiller {
  readonly #faults: UserFaults;
  readonly #staging: HostMemory;
  #canMove = true;

  constructor(faults: UserFaults) {
    this.#faults = faults;
    this.#staging = allocateAnonymous(GRANULE_BYTES, { hugePages: true });
  }

  /** All of [hva, hva + length) must be missing; hva is on a granule's boundary. */
  fill(hva: number, length: number): void {
    this.#staging.populate(0, length);
    if (this.#canMove && this.#move(hva, length)) return;
    this.#faults.copy(hva, this.#staging.hva, length);
  }

  close(): void {
    this.#staging.close();
  }

  /** False where this kernel can't. */
  #move(hva: number, length: number): boolean {
    const request = MOVE.make().set('dst', hva).set('src', this.#staging.hva).set('len', length);
    for (;;) {
      request.set('mode', UFFDIO_MOVE_MODE_DONTWAKE).set('move', 0);
      const result = tryIoctlStruct(this.#faults.fd, UFFDIO_MOVE, request.bytes);
      if (result === 0) return true;
      // EAGAIN: the address space is changing, nothing was moved.
      if (result === -ERRNO.EAGAIN && request.get('move') === 0) continue;
      if (result !== -ERRNO.EINVAL && result !== -ERRNO.ENOTTY && result !== -ERRNO.EBUSY)
        throw failure('UFFDIO_MOVE', -result);
      this.#canMove = result === -ERRNO.EBUSY;
      return false;
    }
  }
}
