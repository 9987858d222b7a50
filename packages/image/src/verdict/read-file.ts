import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { UnpinError } from '@unpin/contract/errors';

/**
 * Reads a whole regular file of at most `limit` bytes. Directories, devices, FIFOs and sockets are refused; the file
 * is opened without blocking, so that a FIFO can't hold the caller up, and judged by its descriptor.
 * @throws UnpinError FILE_NOT_FOUND, FILE_UNREADABLE, FILE_TOO_LARGE
 */
export function readRegularFile(path: string, limit: number): Buffer {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw openError(path, cause);
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile())
      throw new UnpinError('FILE_UNREADABLE', { subject: path, found: 'not a regular file', needed: 'a kernel file' });
    if (status.size > limit)
      throw new UnpinError('FILE_TOO_LARGE', {
        subject: path,
        found: `${status.size} bytes`,
        needed: `a kernel file of at most ${limit} bytes`,
      });
    const bytes = Buffer.allocUnsafeSlow(status.size);
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(descriptor, bytes, done, bytes.length - done, done);
      // The file became shorter meanwhile: what is there is judged.
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  } catch (cause) {
    if (cause instanceof UnpinError) throw cause;
    throw new UnpinError('FILE_UNREADABLE', { subject: path, found: messageOf(cause), cause });
  } finally {
    closeSync(descriptor);
  }
}

function openError(path: string, cause: unknown): UnpinError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new UnpinError('FILE_NOT_FOUND', { subject: path, needed: 'a kernel file', cause });
  return new UnpinError('FILE_UNREADABLE', { subject: path, found: messageOf(cause), cause });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
