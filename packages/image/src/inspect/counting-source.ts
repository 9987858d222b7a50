import type { ByteSource } from '../source/byte-source.ts';

/** A medium that counts what is read of it. */
export interface CountingSource extends ByteSource {
  readonly bytesRead: number;
}

export function countingSource({ name, size, ...medium }: ByteSource): CountingSource {
  let bytesRead = 0;
  return {
    name,
    size,
    get bytesRead() {
      return bytesRead;
    },
    read: (offset, length) => {
      bytesRead += length;
      return medium.read(offset, length);
    },
  };
}
