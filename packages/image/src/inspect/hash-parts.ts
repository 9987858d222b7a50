import { createHash } from 'node:crypto';
import type { BootPart } from '@unpin/policy';
import type { BootFile } from '../boot-set/boot-choice.ts';
import { FormatError } from '../format-error.ts';
import type { Budget } from '../source/budget.ts';

/** Read at once while hashing, in bytes: enough for the medium's own pace, little beside the limits. */
const CHUNK = 2 ** 22;
/** An initrd that large fits no loader's window below 4 GiB beside its kernel. */
export const MOST_INITRD_BYTES = 2 ** 30;
/** A loader's configuration is text; a file this large is none. */
export const MOST_CONFIGURATION_BYTES = 2 ** 24;

/**
 * The digest of files as one, one behind the other, as a loader puts several initrds into memory. The next piece is on
 * its way while the last one is hashed.
 * @throws FormatError over-budget where they are larger than `limit`
 */
export async function hashFiles(files: readonly BootFile[], limit: number, budget: Budget): Promise<BootPart> {
  const name = files.map((file) => file.name).join(' + ');
  const bytes = files.reduce((sum, { source }) => sum + source.size, 0);
  if (bytes > limit) throw new FormatError('over-budget', name, 0, `${bytes} bytes, at most ${limit} are read`);
  const hash = createHash('sha256');
  for (const { source } of files) {
    let next = readFrom(0);
    for (let offset = 0; offset < source.size; offset += CHUNK) {
      const piece = await next;
      next = readFrom(offset + CHUNK);
      // It is awaited with the next turn; until then its failure is nobody's.
      next.catch(() => undefined);
      budget.takeSteps(1, name, offset);
      hash.update(piece);
    }
    function readFrom(offset: number): Promise<Uint8Array> {
      if (offset >= source.size) return Promise.resolve(new Uint8Array(0));
      return source.read(offset, Math.min(CHUNK, source.size - offset));
    }
  }
  return { name, sha256: hash.digest('hex'), bytes };
}
