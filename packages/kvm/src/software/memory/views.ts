import type { KeyRing } from './key-ring.ts';
import { decryptPage, encryptPage } from './page-cipher.ts';
import { FRAME_BYTES, FRAME_SHIFT, type PhysicalMemory, writerOf } from './physical-memory.ts';

/** The view of a frame as DRAM holds it: what the host and an access without the C bit see. ASIDs are the others. */
export const RAW = 0;

/**
 * In which view a frame's bytes are. Only one is there at a time; asking for another encrypts or decrypts the frame in
 * place under its address, so that each view always shows what the memory controller would show.
 */
export class Views {
  readonly keys: KeyRing;
  readonly #memory: PhysicalMemory;
  #changes = 0;

  constructor(memory: PhysicalMemory, keys: KeyRing) {
    this.#memory = memory;
    this.keys = keys;
  }

  /** How often a frame was brought into another view. */
  get changes(): number {
    return this.#changes;
  }

  /** Brings a frame into a view: RAW, or an active ASID's. Tells the memory's listeners where that changes it. */
  materialise(address: number, view: number): void {
    const frame = address >>> FRAME_SHIFT;
    const now = this.#memory.tags[frame] ?? RAW;
    if (now === view) return;
    // Both keys are looked up first: where one is missing nothing has changed.
    const from = now === RAW ? null : this.keys.keyOf(now);
    const to = view === RAW ? null : this.keys.keyOf(view);
    const page = this.#memory.bytes(address);
    if (from !== null) encryptPage(from, address, page);
    if (to !== null) decryptPage(to, address, page);
    this.#memory.tags[frame] = view;
    this.#changes += 1;
    this.#memory.changed(address);
  }

  /** Makes a view show zeros, as if they had been written through it. */
  clear(address: number, view: number): void {
    const frame = address >>> FRAME_SHIFT;
    this.#memory.bytes(address).fill(0);
    this.#memory.tags[frame] = view;
    this.#memory.writers[frame] = writerOf(view !== RAW);
    this.#memory.changed(address);
  }

  /** A copy of what a view shows of a frame, which stays as it is. */
  peek(address: number, view: number): Uint8Array {
    const page = this.#memory.bytes(address).slice();
    const now = this.#memory.tags[address >>> FRAME_SHIFT] ?? RAW;
    if (now === view) return page;
    if (now !== RAW) encryptPage(this.keys.keyOf(now), address, page);
    if (view !== RAW) decryptPage(this.keys.keyOf(view), address, page);
    return page;
  }

  /**
   * Encrypts plain bytes of a frame in place, as the firmware's launch commands do: what the raw view shows now, the
   * ASID's view shows afterwards. Offset and length in bytes, multiples of 16 inside the frame (SEV API, LAUNCH_UPDATE).
   */
  encryptInPlace(address: number, offset: number, length: number, asid: number): void {
    if (offset % 16 !== 0 || length % 16 !== 0 || offset < 0 || length < 0 || offset + length > FRAME_BYTES)
      throw new RangeError(`${length} bytes at ${offset} are not blocks of 16 bytes inside a page`);
    this.materialise(address, RAW);
    const page = this.#memory.bytes(address);
    const plain = page.slice(offset, offset + length);
    this.materialise(address, asid);
    page.set(plain, offset);
    this.#memory.writers[address >>> FRAME_SHIFT] = writerOf(true);
  }

  /** The inverse: what the ASID's view shows now, the raw view shows afterwards (DBG_DECRYPT). */
  decryptInPlace(address: number, offset: number, length: number, asid: number): void {
    if (offset % 16 !== 0 || length % 16 !== 0 || offset < 0 || length < 0 || offset + length > FRAME_BYTES)
      throw new RangeError(`${length} bytes at ${offset} are not blocks of 16 bytes inside a page`);
    this.materialise(address, asid);
    const page = this.#memory.bytes(address);
    const plain = page.slice(offset, offset + length);
    this.materialise(address, RAW);
    page.set(plain, offset);
  }

  /** Takes an ASID out of use: its frames keep their ciphertext, and nobody can read it any more. */
  retire(asid: number): void {
    const { tags } = this.#memory;
    for (let frame = tags.indexOf(asid); frame >= 0; frame = tags.indexOf(asid, frame + 1))
      this.materialise(frame * FRAME_BYTES, RAW);
    this.keys.retire(asid);
  }
}
