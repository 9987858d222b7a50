import { FormatError } from '../../format-error.ts';
import type { BitReader } from './bit-reader.ts';

/** No code word of bzip2 is longer. */
const LONGEST = 20;
/** Words of so many bits, nearly all that occur, are found by one look into a table. */
const SHORT = 10;

/** A canonical prefix code: words of one length are consecutive numbers, shorter ones come first. */
export class PrefixCode {
  /** For each length the largest word, or -1 where there is none. */
  readonly #last = new Int32Array(LONGEST + 1).fill(-1);
  /** What a word of a length is less than its symbol's place in order. */
  readonly #shift = new Int32Array(LONGEST + 1);
  readonly #symbols: Uint16Array;
  /** For each value of the next SHORT bits the word that they begin with, as symbol · 32 + length; 0 for a longer one. */
  readonly #short = new Uint16Array(1 << SHORT);

  /** @param lengths of each symbol's word, 1 to 20 */
  constructor(lengths: Uint8Array, position: number) {
    this.#symbols = new Uint16Array(lengths.length);
    let place = 0;
    let word = 0;
    for (let length = 1; length <= LONGEST; length++) {
      this.#shift[length] = place - word;
      for (let symbol = 0; symbol < lengths.length; symbol++)
        if (lengths[symbol] === length) {
          const beginsAt = word << (SHORT - length);
          if (length <= SHORT) this.#short.fill(symbol * 32 + length, beginsAt, beginsAt + (1 << (SHORT - length)));
          this.#symbols[place++] = symbol;
          this.#last[length] = word++;
        }
      if (word > 1 << length)
        throw new FormatError('malformed', 'bzip2 code lengths', position, `more words than ${length} bits can tell`);
      word <<= 1;
    }
  }

  /** @throws FormatError truncated; malformed for bits that are no word */
  read(reader: BitReader): number {
    const short = this.#short[reader.peek(SHORT)] as number;
    if (short !== 0) {
      reader.skip(short & 31);
      return short >> 5;
    }
    let word = reader.bits(SHORT);
    for (let length = SHORT + 1; length <= LONGEST; length++) {
      word = (word << 1) | reader.bit();
      if (word <= (this.#last[length] as number))
        return this.#symbols[word + (this.#shift[length] as number)] as number;
    }
    throw new FormatError('malformed', 'bzip2 code word', reader.position, 'not in the table');
  }
}

/** Reads a table of code lengths, each told by its difference from the last. */
export function readPrefixCode(reader: BitReader, symbols: number): PrefixCode {
  const lengths = new Uint8Array(symbols);
  let length = reader.bits(5);
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (;;) {
      if (length < 1 || length > LONGEST)
        throw new FormatError('malformed', 'bzip2 code lengths', reader.position, `${length} bits for a word`);
      if (reader.bit() === 0) break;
      length += reader.bit() === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return new PrefixCode(lengths, reader.position);
}
