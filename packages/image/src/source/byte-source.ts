/**
 * Bytes that can be read at any place: a file, an HTTP range, a disk inside a qcow2, a partition of it, a file in its
 * filesystem. Sources are stacked; each knows the size of what it shows and reads only what it is asked for.
 */
export interface ByteSource {
  /** For people: a path, an address, `disk.qcow2, partition 1`. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset` on. What comes back may be shared with other readers: nobody writes to it.
   * @throws FormatError truncated where they don't all lie in the source; unreadable where the medium fails;
   *   whatever the layers below find wrong with themselves
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}
