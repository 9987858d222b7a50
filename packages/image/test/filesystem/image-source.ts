/** An image file as a source that remembers what was read of it and can show some bytes as others. */
import { fstatSync, openSync, readSync } from 'node:fs';
import type { ByteSource } from '../../src/source/byte-source.ts';
import { checkRange } from '../../src/source/window.ts';

export interface Read {
  readonly offset: number;
  readonly length: number;
}

export interface ImageSource extends ByteSource {
  /** What was read so far. */
  readonly reads: Read[];
  /** Bytes that are shown in place of the file's; later ones win. */
  readonly patches: { readonly offset: number; readonly bytes: Uint8Array }[];
}

/** The file stays open until the test file's process ends. */
export function imageSource(name: string): ImageSource {
  const fd = openSync(name, 'r');
  const { size } = fstatSync(fd);
  const reads: Read[] = [];
  return {
    name,
    size,
    reads,
    patches: [],
    read: async (offset, length) => {
      checkRange(name, size, offset, length);
      reads.push({ offset, length });
      const bytes = Buffer.alloc(length);
      if (readSync(fd, bytes, 0, length, offset) !== length) throw new Error(`${name} became shorter`);
      return bytes;
    },
  };
}

/** The same image with patches of its own. */
export function patched(image: ImageSource, patches: ImageSource['patches']): ImageSource {
  const reads: Read[] = [];
  const all = [...image.patches, ...patches];
  return {
    ...image,
    reads,
    patches: all,
    read: async (offset, length) => {
      reads.push({ offset, length });
      const bytes = Buffer.from(await image.read(offset, length));
      for (const patch of patches) {
        const from = Math.max(offset, patch.offset);
        const to = Math.min(offset + length, patch.offset + patch.bytes.length);
        if (from < to) bytes.set(patch.bytes.subarray(from - patch.offset, to - patch.offset), from - offset);
      }
      return bytes;
    },
  };
}
