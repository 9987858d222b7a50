import { randomBytes } from 'node:crypto';

/** AES-128-XTS takes two AES-128 keys (IEEE 1619). */
export const KEY_BYTES = 32;

/** Where keys come from: 32 bytes each. */
export type KeySource = (asid: number) => Uint8Array;

/** The memory controller's keys: one an ASID. An ASID is a number from 1 to 65535. */
export class KeyRing {
  readonly #source: KeySource;
  readonly #keys = new Map<number, Uint8Array>();

  /** Random keys, unless a source gives others: a deterministic run wants the same ones each time. */
  constructor(source: KeySource = () => randomBytes(KEY_BYTES)) {
    this.#source = source;
  }

  /** Gives an ASID its key. RangeError where it has one: two VMs with one key would read each other. */
  activate(asid: number, key: Uint8Array = this.#source(asid)): void {
    if (!Number.isInteger(asid) || asid < 1 || asid > 0xffff) throw new RangeError(`${asid} is no ASID`);
    if (this.#keys.has(asid)) throw new RangeError(`ASID ${asid} has a key`);
    if (key.length !== KEY_BYTES) throw new RangeError(`a key of ${key.length} bytes is not one of ${KEY_BYTES}`);
    this.#keys.set(asid, Uint8Array.from(key));
  }

  isActive(asid: number): boolean {
    return this.#keys.has(asid);
  }

  /** RangeError where the ASID has no key. */
  keyOf(asid: number): Uint8Array {
    const key = this.#keys.get(asid);
    if (key === undefined) throw new RangeError(`ASID ${asid} has no key`);
    return key;
  }

  /** Forgets the key: what was encrypted with it is lost. See Views.retire. */
  retire(asid: number): void {
    this.#keys.delete(asid);
  }

  /** For snapshots. */
  entries(): readonly (readonly [number, Uint8Array])[] {
    return [...this.#keys];
  }
}
