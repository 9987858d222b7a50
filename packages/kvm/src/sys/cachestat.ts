import { syscallPointers } from './syscall.ts';

/** Pages of a file's range in the page cache. For a guest_memfd that is what it has allocated. */
export interface CacheFigures {
  readonly cached: number;
  readonly dirty: number;
  readonly evicted: number;
}

/**
 * cachestat(2) over a range of a file; a length of 0 reaches to its end. Pages of 4096 bytes.
 * Errors: ENOSYS before Linux 6.5, EOPNOTSUPP for hugetlbfs.
 */
export function cacheFigures(fd: number, offset = 0, length = 0): CacheFigures {
  const range = new BigUint64Array([BigInt(offset), BigInt(length)]);
  const figures = new BigUint64Array(5);
  // Safety: struct cachestat_range is two u64, struct cachestat five.
  syscallPointers('cachestat', fd, new Uint8Array(range.buffer), new Uint8Array(figures.buffer));
  const [cached = 0n, dirty = 0n, , evicted = 0n] = figures;
  return { cached: Number(cached), dirty: Number(dirty), evicted: Number(evicted) };
}
