import { KernelFormatError } from './format-error.ts';

/** Little-endian reads of a buffer in which every access is checked: past the end it is a `truncated` error. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
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
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number, what: string): number {
    this.#check(offset, 4, what);
    return this.#view.getUint32(offset, true);
  }

  u64(offset: number, what: string): bigint {
    this.#check(offset, 8, what);
    return this.#view.getBigUint64(offset, true);
  }

  /** A 64-bit value that must fit a safe integer (sizes, file offsets, physical addresses). */
  size64(offset: number, what: string): number {
    const value = this.u64(offset, what);
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new KernelFormatError('malformed', what, offset, `0x${value.toString(16)} is no size or address`);
    return Number(value);
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
      throw new KernelFormatError('truncated', what, offset, `${size} bytes wanted, ${this.bytes.length} in all`);
  }
}
