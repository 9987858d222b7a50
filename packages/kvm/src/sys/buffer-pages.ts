import { ERRNO, failure } from './errno.ts';
import { adviseMemory, MADV_DONTNEED, MADV_HUGEPAGE, MADV_NOHUGEPAGE, residentPages } from './memory-map.ts';
import { addressOf } from './memory-view.ts';

const PAGE = 4096;
/** Bytes that are asked of mincore at once: 256 KiB of answer. */
const MINCORE_STEP = 1 << 30;

/**
 * The operating system's pages behind a shared buffer (a shared `WebAssembly.Memory`'s, whose place in the process
 * never changes). Offsets and lengths are bytes from the buffer's start, whole pages.
 *
 * Throws KvmError EINVAL where the buffer does not start on a page.
 */
export class BufferPages {
  /** Holding the buffer keeps the mapping: the address stays valid as long as this object lives. */
  readonly #bytes: Uint8Array;
  readonly #address: number;

  constructor(buffer: SharedArrayBuffer) {
    this.#bytes = new Uint8Array(buffer);
    this.#address = addressOf(this.#bytes);
    if (this.#address % PAGE !== 0) throw failure('madvise', ERRNO.EINVAL, 'the buffer does not start on a page');
  }

  /** Gives pages back to the system at once (MADV_DONTNEED): they read as zeros and are backed again when touched. */
  giveBack(offset: number, length: number): void {
    // Safety: private anonymous memory of a buffer that is reachable, inside its length.
    adviseMemory(this.#inside(offset, length), length, MADV_DONTNEED);
  }

  /** Lets the system back this range by huge pages, or forbids it so that a touched page costs one page. */
  adviseHugePages(offset: number, length: number, wanted: boolean): void {
    const at = this.#inside(offset, length);
    const advice = wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
    try {
      adviseMemory(at, length, advice);
    } catch {
      // EINVAL: a kernel without transparent huge pages, where no page is huge. Advice is no promise.
    }
  }

  /** Bytes of the range that are in memory, by mincore(2). */
  residentBytes(offset: number, length: number): number {
    const start = this.#inside(offset, length);
    let pages = 0;
    for (let at = 0; at < length; at += MINCORE_STEP)
      for (const page of residentPages(start + at, Math.min(MINCORE_STEP, length - at))) pages += page & 1;
    return pages * PAGE;
  }

  #inside(offset: number, length: number): number {
    if (offset < 0 || length < 0 || offset + length > this.#bytes.length || offset % PAGE !== 0)
      throw new RangeError(`${length} bytes at ${offset} are not pages of ${this.#bytes.length} bytes`);
    return this.#address + offset;
  }
}
