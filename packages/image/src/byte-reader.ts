import { FormatError } from './format-error.ts';

/** Reads of a buffer in which every access is checked: past the end it is a `truncated` error. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  /** @param order of the bytes of a number; x86, ext, FAT and GPT have the least first, qcow2 and XFS the greatest */
  constructor(bytes: Uint8Array, order: 'little' | 'big' = 'little') {
    this.bytes = bytes;
    this.#littleEndian = order === 'little';
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Whether `size` bytes lie at `offset`. */
  has(offset: number, size: number): boolean {
    return offset >= 0 && size >= 0 && offset + size <= this.bytes.length;
  }

  u8(offset: number, what: string): number {
    this.#check(offset, 1, what);
    return this.#view.getUint8(offset);
  }

  u16(offset: number, what: string): number {
    this.#check(offset, 2, what);
    return this.#view.getUint16(offset, this.#littleEndian);
  }

  u32(offset: number, what: string): number {
    this.#check(offset, 4, what);
    return this.#view.getUint32(offset, this.#littleEndian);
  }

  u64(offset: number, what: string): bigint {
    this.#check(offset, 8, what);
    return this.#view.getBigUint64(offset, this.#littleEndian);
  }

  /** A 64-bit value that must fit a safe integer (sizes, file offsets, physical addresses). */
  size64(offset: number, what: string): number {
    const first = this.u32(offset, what);
    const second = this.u32(offset + 4, what);
    const [low, high] = this.#littleEndian ? [first, second] : [second, first];
    if (high >= 2 ** 21)
      throw new FormatError('malformed', what, offset, `${(high * 2 ** 32 + low).toString()} is no size or address`);
    return high * 2 ** 32 + low;
  }

  /** A view (no copy) of `size` bytes at `offset`. */
  slice(offset: number, size: number, what: string): Uint8Array {
    this.#check(offset, size, what);
    return this.bytes.subarray(offset, offset + size);
  }

  /** ASCII up to a NUL, at most `limit` bytes. */
  cString(offset: number, limit: number, what: string): string {
    this.#check(offset, 1, what);
    const window = this.bytes.subarray(offset, Math.min(offset + limit, this.bytes.length));
    const end = window.indexOf(0);
    return Buffer.from(end < 0 ? window : window.subarray(0, end)).toString('latin1');
  }

  #check(offset: number, size: number, what: string): void {
    if (!this.has(offset, size))
      throw new FormatError('truncated', what, offset, `${size} bytes wanted, ${this.bytes.length} in all`);
  }
}
