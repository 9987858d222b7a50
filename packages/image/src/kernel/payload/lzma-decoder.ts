import { FormatError } from '../../format-error.ts';
import { UnpackMemory } from './unpack-memory.ts';

/** Words in the decoder's memory: assembly/lzma.ts has the same. */
const WORD = {
  lc: 0,
  lpMask: 1,
  pbMask: 2,
  /** The state and the last four distances: five words. */
  state: 3,
  dictionary: 8,
  finished: 11,
} as const;

/** Probabilities that every stream has, and for each context of literals. */
const TREES = 1860;
const LITERAL_SIZE = 0x300;
const PROBABILITY_MIDDLE = 1024;

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
  readonly #memory: UnpackMemory;
  readonly #contextBits: number;
  /** How many of the probabilities the properties ask for. */
  #used = 0;

  /** @throws FormatError over-budget where there is not so much memory */
  constructor({ unpacked, packed, contextBits }: LzmaSizes) {
    this.#memory = new UnpackMemory({ unpacked, packed, table: TREES + LITERAL_SIZE * (1 << contextBits) });
    this.#contextBits = contextBits;
    this.dictionaryStart = 0;
  }

  /** What has been decoded, and room for the rest. */
  get out(): Buffer {
    return this.#memory.out;
  }

  /** Where in the output the dictionary begins: no match reaches before it. */
  get dictionaryStart(): number {
    return ((this.#memory.words[WORD.dictionary] as number) >>> 0) - this.out.byteOffset;
  }

  set dictionaryStart(at: number) {
    this.#memory.words[WORD.dictionary] = this.out.byteOffset + at;
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
    const { words } = this.#memory;
    words[WORD.lc] = lc;
    words[WORD.lpMask] = (1 << lp) - 1;
    words[WORD.pbMask] = (1 << Math.floor(properties / 45)) - 1;
    this.#used = TREES + LITERAL_SIZE * (1 << (lc + lp));
    this.resetState();
  }

  resetState(): void {
    this.#memory.table.fill(PROBABILITY_MIDDLE, 0, this.#used);
    this.#memory.words.fill(0, WORD.state, WORD.state + 5);
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
    if (to - from < 5) throw new FormatError('truncated', 'lzma stream', from, 'ends inside its first number');
    if (input[from] !== 0) throw new FormatError('malformed', 'lzma range coder', from, 'first byte is not zero');
    const ended = this.#memory.decode('lzma', input, { from, to, at, limit, skipped: 1 });
    return { ...ended, finished: this.#memory.words[WORD.finished] === 1 };
  }
}
