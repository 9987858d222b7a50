import { UnpinError } from '@unpin/contract';

const UNIT = 2 * 1_048_576;
/** 2^46 bytes: what four-level nested paging can map. */
const MOST = 2 ** 46;

/** MEMORY_INVALID for a size in bytes that no VM can have: it must be a positive multiple of 2 MiB, at most 64 TiB. */
export function checkMemorySize(subject: string, bytes: number): void {
  if (Number.isSafeInteger(bytes) && bytes > 0 && bytes <= MOST && bytes % UNIT === 0) return;
  throw new UnpinError('MEMORY_INVALID', {
    subject,
    found: `${bytes} bytes`,
    needed: 'a positive multiple of 2 MiB, at most 64 TiB',
    next: 'for example --memory 512M',
  });
}
