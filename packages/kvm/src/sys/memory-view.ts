import { ffi } from './libc.ts';

/** Longest view that is made, in bytes: Node dies on an external buffer above 4 GiB. */
export const MAX_VIEW_BYTES = 1 << 30;

/**
 * A live ArrayBuffer over memory of this process: no copy, no owner. At most MAX_VIEW_BYTES (no error can
 * be caught where Node dies). RangeError above.
 *
 * Safety: the memory must stay mapped as long as the buffer is reachable and not detached (see detachView).
 */
export function viewMemory(address: number, length: number): ArrayBuffer {
  if (length > MAX_VIEW_BYTES) throw new RangeError(`a view of ${length} bytes is longer than ${MAX_VIEW_BYTES}`);
  return ffi().view(address, length);
}

/** Makes a view and everything built on it empty, so that a late use is a RangeError and no segmentation fault. */
export function detachView(view: ArrayBuffer): void {
  view.transfer(0);
}

/**
 * The address of a buffer's first byte.
 *
 * Safety: valid only while the buffer is reachable; use it in the same synchronous stretch and touch the buffer after
 * the call (see keepAlive), else the collector may free it in between.
 */
export function addressOf(bytes: Uint8Array): number {
  return Number(ffi().address(bytes));
}

/** Keeps buffers reachable up to here: it reads them, which the compiler can't move before the call above it. */
export function keepAlive(...buffers: readonly (Uint8Array | null)[]): void {
  for (const buffer of buffers) if (buffer !== null && buffer.byteLength < 0) throw new Error('unreachable');
}
