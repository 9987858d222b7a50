import { accessSync, constants, statSync } from 'node:fs';
import type { LaunchOrder } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';

const MIB = 1024 * 1024;
/** Largest kernel and initrd that are read, in bytes. */
export const MAX_KERNEL_BYTES = 512 * MIB;
export const MAX_INITRD_BYTES = 1024 * MIB;

/**
 * That what would boot is there and can be read. The bytes themselves are judged when they are read, once.
 * @throws UnpinError FILE_NOT_FOUND, FILE_UNREADABLE, FILE_TOO_LARGE
 */
export function checkBootFiles(boot: LaunchOrder['boot']): void {
  if (boot.kind === 'probe') return;
  checkFile(boot.kernel.path, MAX_KERNEL_BYTES);
  if (boot.initrd !== undefined) checkFile(boot.initrd.path, MAX_INITRD_BYTES);
}

function checkFile(path: string, limit: number): void {
  try {
    accessSync(path, constants.R_OK);
    const found = statSync(path);
    if (!found.isFile()) throw new UnpinError('FILE_UNREADABLE', { subject: path, found: 'not a regular file' });
    if (found.size > limit)
      throw new UnpinError('FILE_TOO_LARGE', {
        subject: path,
        found: `${found.size} bytes`,
        needed: `at most ${limit} bytes`,
      });
  } catch (cause) {
    if (cause instanceof UnpinError) throw cause;
    const missing = ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '');
    throw new UnpinError(missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE', { subject: path, cause });
  }
}
