import type { GuestMemfd } from '../port/guest-memfd.ts';
import { PAGE_BYTES } from '../port/guest-memory.ts';
import type { U64 } from '../port/u64.ts';
import { cacheFigures } from '../sys/cachestat.ts';
import { closeFile, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, fallocate } from '../sys/file.ts';

/** A guest_memfd of the kernel's KVM. */
export class LinuxGuestMemfd implements GuestMemfd {
  readonly fd: number;
  readonly size: number;
  readonly #ownsFd: boolean;

  constructor(fd: number, size: number, ownsFd = true) {
    this.fd = fd;
    this.size = size;
    this.#ownsFd = ownsFd;
  }

  allocate(offset: U64, length: U64): void {
    fallocate(this.fd, FALLOC_FL_KEEP_SIZE, offset, length);
  }

  punch(offset: U64, length: U64): void {
    fallocate(this.fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, offset, length);
  }

  /** By cachestat(2): ENOSYS before Linux 6.5; guest_memfd came with 6.8. */
  allocatedBytes(): number {
    return cacheFigures(this.fd).cached * PAGE_BYTES;
  }

  close(): void {
    if (this.#ownsFd) closeFile(this.fd);
  }
}
