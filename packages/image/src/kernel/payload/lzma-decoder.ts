import { FormatError } from '../../format-error.ts';
import { type LzmaInstance, lzmaInstance } from './lzma-instance.ts';

/** Words in the decoder's memory and results of its call: assembly/lzma.ts has the same. */
const STATE = 1024;
const WORD = {
  lc: 0,
  lpMask: 1,
  pbMask: 2,
  /** The state and the last four distances: five words. */
  state: 3,
  dictionary: 8,
  endPos: 9,
  endDst: 10,
  finished: 11,
  distance: 12,
} as const;
const WORDS = 13;
const RESULT = { done: 0, cut: 1, tooFar: 2, tooLong: 3 } as const;
const PROBABILITIES = 4096;

/** Probabilities that every stream has, and for each context of literals. */
const TREES = 1860;
const LITERAL_SIZE = 0x300;
const PROBABILITY_MIDDLE = 1024;
/** One symbol reads fewer bytes than this, and the end of the input is looked at once a symbol. */
const SLACK = 32;

export interface LzmaSizes {
  /** Bytes that come out of it. */
  readonly unpacked: number;
  /** Packed bytes that one call decodes, at most. */
  readonly packed: number;
  /** The largest lc + lp that the container allows. */
  readonly contextBits: number;
}

/**
 * The LZMA decoder proper, in WebAssembly. The whole output is its dictionary, so nothing is copied twice; state stays
 * between calls, as LZMA2's chunks need it.
 */
export class LzmaDecoder {
  /** What has been decoded, and room for the rest. */
  readonly out: Buffer;
  readonly #instance: LzmaInstance;
  readonly #words: Int32Array;
  readonly #probabilities: Uint16Array;
  readonly #input: Uint8Array;
  readonly #contextBits: number;
  /** How many of the probabilities the properties ask for. */
  #used = 0;

  /** @throws FormatError over-budget where there is not so much memory */
  constructor({ unpacked, packed, contextBits }: LzmaSizes) {
    const probabilities = TREES + LITERAL_SIZE * (1 << contextBits);
    const input = align(PROBABILITIES + 2 * probabilities);
    const out = align(input + packed + SLACK);
    this.#instance = lzmaInstance(out + unpacked);
    const { buffer } = this.#instance.memory;
    this.#words = new Int32Array(buffer, STATE, WORDS);
    this.#probabilities = new Uint16Array(buffer, PROBABILITIES, probabilities);
    this.#input = new Uint8Array(buffer, input, packed);
    this.out = Buffer.from(buffer, out, unpacked);
    this.#contextBits = contextBits;
    this.dictionaryStart = 0;
  }

  /** Where in the output the dictionary begins: no match reaches before it. */
  get dictionaryStart(): number {
    return (this.#words[WORD.dictionary] as number) - this.out.byteOffset;
  }

  set dictionaryStart(at: number) {
    this.#words[WORD.dictionary] = this.out.byteOffset + at;
  }

  /**
   * @param properties (pb · 5 + lp) · 9 + lc, as a byte; below 225
   * @param at where it was read, for the error
   */
  setProperties(properties: number, at: number): void {
    if (properties >= 225) throw new FormatError('malformed', 'lzma properties', at, `${properties} is above 224`);
    const lc = properties % 9;
    const lp = Math.floor(properties / 9) % 5;
    if (lc + lp > this.#contextBits)
      throw new FormatError('malformed', 'lzma properties', at, `lc ${lc} and lp ${lp} are too many`);
    this.#words[WORD.lc] = lc;
    this.#words[WORD.lpMask] = (1 << lp) - 1;
    this.#words[WORD.pbMask] = (1 << Math.floor(properties / 45)) - 1;
    this.#used = TREES + LITERAL_SIZE * (1 << (lc + lp));
    this.resetState();
  }

  resetState(): void {
    this.#probabilities.fill(PROBABILITY_MIDDLE, 0, this.#used);
    this.#words.fill(0, WORD.state, WORD.state + 5);
  }

  /**
   * Decodes one range-coded stretch, `input[from, to)`, to the output at `at` until `limit` is reached.
   * No match may reach beyond `limit`.
   * @returns where it ended in the input and in the output (before `limit` only at an end marker), and whether the
   * range coder came out even there
   */
  decode(
    input: Uint8Array,
    from: number,
    to: number,
    at: number,
    limit: number,
  ): { pos: number; done: number; finished: boolean } {
    if (to - from < 5) throw cut(from);
    if (input[from] !== 0) throw new FormatError('malformed', 'lzma range coder', from, 'first byte is not zero');
    this.#input.set(input.subarray(from, to));
    const base = this.#input.byteOffset;
    const { byteOffset } = this.out;
    const result = this.#instance.decode(base + 1, base + to - from, byteOffset + at, byteOffset + limit);
    const words = this.#words;
    const pos = (words[WORD.endPos] as number) - base + from;
    switch (result) {
      case RESULT.cut:
        throw cut(pos);
      case RESULT.tooFar: {
        const distance = ((words[WORD.distance] as number) >>> 0) + 1;
        throw new FormatError('malformed', 'lzma match', pos, `distance ${distance} leads before the dictionary`);
      }
      case RESULT.tooLong:
        throw new FormatError('over-budget', 'lzma match', pos, 'reaches beyond the announced size');
      default:
        return {
          pos,
          done: ((words[WORD.endDst] as number) >>> 0) - byteOffset,
          finished: words[WORD.finished] === 1,
        };
    }
  }
}

function align(offset: number): number {
  return (offset + 15) & ~15;
}

function cut(pos: number): FormatError {
  return new FormatError('truncated', 'lzma stream', pos, 'ends inside a symbol');
}
