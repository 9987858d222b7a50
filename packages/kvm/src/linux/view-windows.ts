import { detachView, MAX_VIEW_BYTES, viewMemory } from '../sys/memory-view.ts';

/** Windows start every half of the longest view, so that any view of up to that half lies in one. */
export const MAX_WINDOW_VIEW_BYTES = MAX_VIEW_BYTES / 2;

/**
 * Views of one mapping. Node can't have a buffer of more than 4 GiB, and each buffer it is told of counts against its
 * heap: so a few long windows are made once, and views are cut from them. `detach` makes all of them empty.
 */
export class ViewWindows {
  readonly #address: number;
  readonly #size: number;
  readonly #windows = new Map<number, ArrayBuffer>();

  constructor(address: number, size: number) {
    this.#address = address;
    this.#size = size;
  }

  /** RangeError outside the memory or above MAX_WINDOW_VIEW_BYTES. */
  view(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.#size))
      throw new RangeError(`${length} bytes at ${offset} are not inside ${this.#size} bytes`);
    if (length > MAX_WINDOW_VIEW_BYTES)
      throw new RangeError(`a view of ${length} bytes is longer than ${MAX_WINDOW_VIEW_BYTES}`);
    const start = Math.floor(offset / MAX_WINDOW_VIEW_BYTES) * MAX_WINDOW_VIEW_BYTES;
    return new Uint8Array(this.#window(start), offset - start, length);
  }

  detach(): void {
    for (const window of this.#windows.values()) detachView(window);
    this.#windows.clear();
  }

  #window(start: number): ArrayBuffer {
    const known = this.#windows.get(start);
    if (known !== undefined) return known;
    // Safety: inside the mapping, which its owner unmaps after detach() only.
    const window = viewMemory(this.#address + start, Math.min(MAX_VIEW_BYTES, this.#size - start));
    this.#windows.set(start, window);
    return window;
  }
}
