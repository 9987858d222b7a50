import { closeSync, read } from 'node:fs';
import { FormatError } from '../format-error.ts';
import type { ClosableSource } from './closable-source.ts';
import { checkRead } from './most-at-once.ts';

/**
 * An open regular file by its descriptor, which it closes. Its size is the one given: a file that became shorter
 * meanwhile is `truncated`, one that grew is read as it was.
 */
export function descriptorSource(name: string, descriptor: number, size: number): ClosableSource {
  let open = true;
  return {
    name,
    size,
    read: async (offset, length) => {
      checkRead(name, size, offset, length);
      const bytes = Buffer.allocUnsafeSlow(length);
      let done = 0;
      while (done < length) {
        if (!open) throw new FormatError('unreadable', name, offset, 'it was closed');
        const got = await readAt(name, descriptor, bytes, done, offset + done);
        if (got === 0)
          throw new FormatError('truncated', name, offset + done, `the file ends here, it had ${size} bytes before`);
        done += got;
      }
      return bytes;
    },
    close: () => {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

function readAt(name: string, descriptor: number, into: Buffer, at: number, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, into, at, into.length - at, offset, (error, got) => {
      if (error === null) resolve(got);
      else reject(new FormatError('unreadable', name, offset, error.message));
    });
  });
}
