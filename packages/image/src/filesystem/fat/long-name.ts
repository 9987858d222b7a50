import type { ByteReader } from '../../byte-reader.ts';

/** "Long file name implementation": 13 UTF-16 units an entry, in these places of it. */
const UNITS = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30] as const;
const LAST = 0x40;
/** 255 units are the most that a name has. */
const MOST_ENTRIES = 20;
const MOST_UNITS = 255;

/**
 * Collects the entries of a long name, which stand before their short entry, the end of the name first. A set that is
 * out of order, incomplete or of another short name is left behind by a system that knows no long names: it is
 * ignored, as that system's rename or deletion intended.
 */
export class LongName {
  /** Parts in the order of the name; those not yet seen come before. */
  #parts: string[] = [];
  #checksum = 0;
  /** The number that the next entry must have; 0: complete, the short entry must come; -1: no set is open. */
  #expected = -1;

  /** Takes an entry whose attributes are a long name's. */
  add(reader: ByteReader, offset: number): void {
    const order = reader.u8(offset, 'order');
    const checksum = reader.u8(offset + 13, 'checksum');
    const number = order & ~LAST;
    if ((order & LAST) !== 0) {
      if (number < 1 || number > MOST_ENTRIES) return this.clear();
      this.#parts = [];
      this.#checksum = checksum;
    } else if (number !== this.#expected || checksum !== this.#checksum || number === 0) return this.clear();
    const units = UNITS.map((at) => reader.u16(offset + at, 'long name'));
    this.#parts.unshift(String.fromCharCode(...units));
    this.#expected = number - 1;
  }

  clear(): void {
    this.#parts = [];
    this.#expected = -1;
  }

  /** The name for the short entry that comes now, undefined where that has none; and is ready for the next set. */
  take(rawName: Uint8Array): string | undefined {
    const complete = this.#expected === 0 && this.#checksum === checksumOf(rawName);
    const all = this.#parts.join('');
    this.clear();
    if (!complete) return undefined;
    const end = all.indexOf('\0');
    const name = end < 0 ? all : all.slice(0, end);
    return name.length > 0 && name.length <= MOST_UNITS ? name : undefined;
  }
}

/** "ChkSum()": of a short name's eleven bytes. */
function checksumOf(rawName: Uint8Array): number {
  let sum = 0;
  for (const byte of rawName) sum = (((sum & 1) << 7) + (sum >>> 1) + byte) & 0xff;
  return sum;
}
