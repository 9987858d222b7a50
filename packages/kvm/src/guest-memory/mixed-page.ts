import { PAGE_BYTES, type View } from '../port/index.ts';

const NOBODY = 0;
const CODE = { private: 1, shared: 2 } as const satisfies Record<View, number>;

/** A page with live bytes in both views: which view each byte was last written through. */
export class MixedPage {
  readonly #owner = new Uint8Array(PAGE_BYTES);
  readonly #owned = { private: 0, shared: 0 };

  /** Every byte of `bytes` that isn't zero was written through `view`. */
  constructor(view: View, bytes: Uint8Array) {
    for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 0) this.write(view, index, 1);
  }

  write(view: View, offset: number, length: number): void {
    for (let index = offset; index < offset + length; index++) {
      const before = this.#owner[index] ?? NOBODY;
      if (before === CODE[view]) continue;
      if (before === CODE.private) this.#owned.private--;
      else if (before === CODE.shared) this.#owned.shared--;
      this.#owner[index] = CODE[view];
      this.#owned[view]++;
    }
  }

  /** How many bytes were last written through a view. */
  owned(view: View): number {
    return this.#owned[view];
  }

  isOwnedBy(view: View, offset: number): boolean {
    return this.#owner[offset] === CODE[view];
  }
}
