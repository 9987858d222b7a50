import { FormatError } from '../../format-error.ts';

/*
 * Probability model of LZMA (LZMA specification, 2015): every probability is 11 bits, starts in the middle and moves
 * by 1/32 towards what was seen. They live in one array; these are where each tree begins.
 */
const STATES = 12;
const POS_STATES = 16;
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * POS_STATES;
const IS_REP0 = IS_REP + STATES;
const IS_REP1 = IS_REP0 + STATES;
const IS_REP2 = IS_REP1 + STATES;
const IS_REP0_LONG = IS_REP2 + STATES;
const DISTANCE_SLOT = IS_REP0_LONG + STATES * POS_STATES;
const DISTANCE_SPECIAL = DISTANCE_SLOT + 4 * 64;
const ALIGN = DISTANCE_SPECIAL + 128;
const MATCH_LENGTH = ALIGN + 16;
/** A length coder: two choice bits, a low and a middle tree of 8 for each position state, a high tree of 256. */
const LENGTH_LOW = 2;
const LENGTH_MIDDLE = LENGTH_LOW + POS_STATES * 8;
const LENGTH_HIGH = LENGTH_MIDDLE + POS_STATES * 8;
const LENGTH_SIZE = LENGTH_HIGH + 256;
const REP_LENGTH = MATCH_LENGTH + LENGTH_SIZE;
const LITERAL = REP_LENGTH + LENGTH_SIZE;
const LITERAL_SIZE = 0x300;

const PROBABILITY_MIDDLE = 1024;
/** `p - ((p + TOWARDS_ZERO) >> 5)` is `p + ((2048 - p) >> 5)`: what a 0 makes of a probability, in the form of a 1's. */
const TOWARDS_ZERO = 31 - 2048;
/** From this state on, the last symbol was not a literal. */
const STATE_AFTER_MATCH = 7;

/**
 * The LZMA decoder proper. The whole output is its dictionary, so nothing is copied twice; state stays between calls,
 * as LZMA2's chunks need it.
 */
export class LzmaDecoder {
  readonly #out: Uint8Array;
  #probabilities = new Uint16Array(0);
  #lc = 0;
  #lpMask = 0;
  #pbMask = 0;
  #state = 0;
  #rep0 = 0;
  #rep1 = 0;
  #rep2 = 0;
  #rep3 = 0;
  /** Where the dictionary begins: no match reaches before it. */
  dictionaryStart = 0;

  constructor(out: Uint8Array) {
    this.#out = out;
  }

  /**
   * @param properties (pb · 5 + lp) · 9 + lc, as a byte; below 225
   * @param at where it was read, for the error
   * @param mostContextBits the largest lc + lp that the container allows
   */
  setProperties(properties: number, at: number, mostContextBits = 12): void {
    if (properties >= 225) throw new FormatError('malformed', 'lzma properties', at, `${properties} is above 224`);
    this.#lc = properties % 9;
    const lp = Math.floor(properties / 9) % 5;
    if (this.#lc + lp > mostContextBits)
      throw new FormatError('malformed', 'lzma properties', at, `lc ${this.#lc} and lp ${lp} are too many`);
    this.#lpMask = (1 << lp) - 1;
    this.#pbMask = (1 << Math.floor(properties / 45)) - 1;
    this.#probabilities = new Uint16Array(LITERAL + LITERAL_SIZE * (1 << (this.#lc + lp)));
    this.resetState();
  }

  resetState(): void {
    this.#probabilities.fill(PROBABILITY_MIDDLE);
    this.#state = 0;
    this.#rep0 = 0;
    this.#rep1 = 0;
    this.#rep2 = 0;
    this.#rep3 = 0;
  }

  /**
   * Decodes one range-coded stretch, `input[from, to)`, to `out` at `at` until `limit` is reached.
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
    const out = this.#out;
    const probabilities = this.#probabilities;
    const { dictionaryStart } = this;
    const lc = this.#lc;
    const lpMask = this.#lpMask;
    const pbMask = this.#pbMask;
    let state = this.#state;
    let rep0 = this.#rep0;
    let rep1 = this.#rep1;
    let rep2 = this.#rep2;
    let rep3 = this.#rep3;

    // The range coder, in locals: its three lines stand wherever a bit is decoded, because a call a bit costs twice
    // the time. One symbol reads fewer than 24 bytes, so the end of the input is checked once a symbol; what is read
    // beyond it in between is never used.
    let range = 0xffffffff;
    let pos = from + 5;
    let code =
      (((input[from + 1] as number) << 24) |
        ((input[from + 2] as number) << 16) |
        ((input[from + 3] as number) << 8) |
        (input[from + 4] as number)) >>>
      0;
    let dst = at;

    while (dst < limit) {
      if (pos > to) throw cut(pos);
      const posState = (dst - dictionaryStart) & pbMask;
      let index = IS_MATCH + (state << 4) + posState;
      let probability = probabilities[index] as number;
      let bound = Math.imul(range >>> 11, probability) >>> 0;
      if (code < bound) {
        range = bound;
        probabilities[index] = probability + ((2048 - probability) >> 5);
        if (range < 0x1000000) {
          range = (range << 8) >>> 0;
          code = ((code << 8) | (input[pos++] as number)) >>> 0;
        }
        const previous = dst > dictionaryStart ? (out[dst - 1] as number) : 0;
        const tree = LITERAL + LITERAL_SIZE * ((((dst - dictionaryStart) & lpMask) << lc) + (previous >> (8 - lc)));
        let symbol = 1;
        // Bits of literals and of trees are hard to guess, and a branch that the CPU guessed wrong costs more than the
        // whole step: `zero` is all ones for a 0 and selects what each bit makes of range, code and probability.
        if (state >= STATE_AFTER_MATCH) {
          // After a match, the byte that would have followed it selects the tree until a bit differs.
          let matchByte = out[dst - rep0 - 1] as number;
          let offset = 0x100;
          do {
            matchByte <<= 1;
            const matchBit = matchByte & offset;
            index = tree + offset + matchBit + symbol;
            probability = probabilities[index] as number;
            bound = Math.imul(range >>> 11, probability) >>> 0;
            const zero = (0 - +(code < bound)) | 0;
            const rest = (range - bound) | 0;
            range = (rest ^ ((rest ^ bound) & zero)) >>> 0;
            code = (code - (bound & ~zero)) >>> 0;
            probabilities[index] = probability - ((probability + (zero & TOWARDS_ZERO)) >> 5);
            offset &= matchBit ^ zero;
            symbol = (symbol << 1) + 1 + zero;
            if (range < 0x1000000) {
              range = (range << 8) >>> 0;
              code = ((code << 8) | (input[pos++] as number)) >>> 0;
            }
          } while (symbol < 0x100);
        } else
          do {
            index = tree + symbol;
            probability = probabilities[index] as number;
            bound = Math.imul(range >>> 11, probability) >>> 0;
            const zero = (0 - +(code < bound)) | 0;
            const rest = (range - bound) | 0;
            range = (rest ^ ((rest ^ bound) & zero)) >>> 0;
            code = (code - (bound & ~zero)) >>> 0;
            probabilities[index] = probability - ((probability + (zero & TOWARDS_ZERO)) >> 5);
            symbol = (symbol << 1) + 1 + zero;
            if (range < 0x1000000) {
              range = (range << 8) >>> 0;
              code = ((code << 8) | (input[pos++] as number)) >>> 0;
            }
          } while (symbol < 0x100);
        out[dst++] = symbol;
        state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
        continue;
      }
      range = (range - bound) >>> 0;
      code = (code - bound) >>> 0;
      probabilities[index] = probability - (probability >> 5);
      if (range < 0x1000000) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | (input[pos++] as number)) >>> 0;
      }

      index = IS_REP + state;
      probability = probabilities[index] as number;
      bound = Math.imul(range >>> 11, probability) >>> 0;
      let lengthCoder: number;
      if (code < bound) {
        // A match with a new distance.
        range = bound;
        probabilities[index] = probability + ((2048 - probability) >> 5);
        lengthCoder = MATCH_LENGTH;
      } else {
        range = (range - bound) >>> 0;
        code = (code - bound) >>> 0;
        probabilities[index] = probability - (probability >> 5);
        lengthCoder = REP_LENGTH;
      }
      if (range < 0x1000000) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | (input[pos++] as number)) >>> 0;
      }

      if (lengthCoder === REP_LENGTH) {
        // Which of the last four distances: three bits at most, and for the first one more, "just one byte".
        let which = 0;
        let single = false;
        for (;;) {
          index = (which === 0 ? IS_REP0 : which === 1 ? IS_REP1 : IS_REP2) + state;
          probability = probabilities[index] as number;
          bound = Math.imul(range >>> 11, probability) >>> 0;
          let bit: number;
          if (code < bound) {
            range = bound;
            probabilities[index] = probability + ((2048 - probability) >> 5);
            bit = 0;
          } else {
            range = (range - bound) >>> 0;
            code = (code - bound) >>> 0;
            probabilities[index] = probability - (probability >> 5);
            bit = 1;
          }
          if (range < 0x1000000) {
            range = (range << 8) >>> 0;
            code = ((code << 8) | (input[pos++] as number)) >>> 0;
          }
          if (bit === 0) break;
          which++;
          if (which === 3) break;
        }
        if (which === 0) {
          index = IS_REP0_LONG + (state << 4) + posState;
          probability = probabilities[index] as number;
          bound = Math.imul(range >>> 11, probability) >>> 0;
          if (code < bound) {
            range = bound;
            probabilities[index] = probability + ((2048 - probability) >> 5);
            single = true;
          } else {
            range = (range - bound) >>> 0;
            code = (code - bound) >>> 0;
            probabilities[index] = probability - (probability >> 5);
          }
          if (range < 0x1000000) {
            range = (range << 8) >>> 0;
            code = ((code << 8) | (input[pos++] as number)) >>> 0;
          }
        } else if (which === 1) {
          const distance = rep1;
          rep1 = rep0;
          rep0 = distance;
        } else if (which === 2) {
          const distance = rep2;
          rep2 = rep1;
          rep1 = rep0;
          rep0 = distance;
        } else {
          const distance = rep3;
          rep3 = rep2;
          rep2 = rep1;
          rep1 = rep0;
          rep0 = distance;
        }
        if (single) {
          if (rep0 >= dst - dictionaryStart) throw tooFar(pos, rep0);
          out[dst] = out[dst - rep0 - 1] as number;
          dst++;
          state = state < STATE_AFTER_MATCH ? 9 : 11;
          continue;
        }
      }

      // The length: a choice of three trees.
      let tree: number;
      let treeBits: number;
      let base: number;
      index = lengthCoder;
      probability = probabilities[index] as number;
      bound = Math.imul(range >>> 11, probability) >>> 0;
      if (code < bound) {
        range = bound;
        probabilities[index] = probability + ((2048 - probability) >> 5);
        tree = lengthCoder + LENGTH_LOW + (posState << 3);
        treeBits = 8;
        base = 2;
      } else {
        range = (range - bound) >>> 0;
        code = (code - bound) >>> 0;
        probabilities[index] = probability - (probability >> 5);
        if (range < 0x1000000) {
          range = (range << 8) >>> 0;
          code = ((code << 8) | (input[pos++] as number)) >>> 0;
        }
        index = lengthCoder + 1;
        probability = probabilities[index] as number;
        bound = Math.imul(range >>> 11, probability) >>> 0;
        if (code < bound) {
          range = bound;
          probabilities[index] = probability + ((2048 - probability) >> 5);
          tree = lengthCoder + LENGTH_MIDDLE + (posState << 3);
          treeBits = 8;
          base = 10;
        } else {
          range = (range - bound) >>> 0;
          code = (code - bound) >>> 0;
          probabilities[index] = probability - (probability >> 5);
          tree = lengthCoder + LENGTH_HIGH;
          treeBits = 256;
          base = 18;
        }
      }
      if (range < 0x1000000) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | (input[pos++] as number)) >>> 0;
      }
      let symbol = 1;
      do {
        index = tree + symbol;
        probability = probabilities[index] as number;
        bound = Math.imul(range >>> 11, probability) >>> 0;
        const zero = (0 - +(code < bound)) | 0;
        const rest = (range - bound) | 0;
        range = (rest ^ ((rest ^ bound) & zero)) >>> 0;
        code = (code - (bound & ~zero)) >>> 0;
        probabilities[index] = probability - ((probability + (zero & TOWARDS_ZERO)) >> 5);
        symbol = (symbol << 1) + 1 + zero;
        if (range < 0x1000000) {
          range = (range << 8) >>> 0;
          code = ((code << 8) | (input[pos++] as number)) >>> 0;
        }
      } while (symbol < treeBits);
      const length = base + symbol - treeBits;

      if (lengthCoder === REP_LENGTH) state = state < STATE_AFTER_MATCH ? 8 : 11;
      else {
        state = state < STATE_AFTER_MATCH ? 7 : 10;
        rep3 = rep2;
        rep2 = rep1;
        rep1 = rep0;

        // The distance: a slot of six bits tells its two highest bits and how many follow.
        tree = DISTANCE_SLOT + ((length < 6 ? length - 2 : 3) << 6);
        symbol = 1;
        do {
          index = tree + symbol;
          probability = probabilities[index] as number;
          bound = Math.imul(range >>> 11, probability) >>> 0;
          const zero = (0 - +(code < bound)) | 0;
          const rest = (range - bound) | 0;
          range = (rest ^ ((rest ^ bound) & zero)) >>> 0;
          code = (code - (bound & ~zero)) >>> 0;
          probabilities[index] = probability - ((probability + (zero & TOWARDS_ZERO)) >> 5);
          symbol = (symbol << 1) + 1 + zero;
          if (range < 0x1000000) {
            range = (range << 8) >>> 0;
            code = ((code << 8) | (input[pos++] as number)) >>> 0;
          }
        } while (symbol < 64);
        const slot = symbol - 64;
        if (slot < 4) rep0 = slot;
        else {
          const lowBits = (slot >> 1) - 1;
          rep0 = ((2 | (slot & 1)) << lowBits) >>> 0;
          let reverseBits: number;
          if (slot < 14) {
            tree = DISTANCE_SPECIAL + rep0 - slot;
            reverseBits = lowBits;
          } else {
            // The middle bits are stored plainly, only the four lowest are modelled.
            let direct = 0;
            for (let left = lowBits - 4; left > 0; left--) {
              range >>>= 1;
              direct <<= 1;
              if (code >= range) {
                code = (code - range) >>> 0;
                direct |= 1;
              }
              if (range < 0x1000000) {
                range = (range << 8) >>> 0;
                code = ((code << 8) | (input[pos++] as number)) >>> 0;
              }
            }
            rep0 = (rep0 + (direct << 4)) >>> 0;
            tree = ALIGN;
            reverseBits = 4;
          }
          symbol = 1;
          for (let bit = 0; bit < reverseBits; bit++) {
            index = tree + symbol;
            probability = probabilities[index] as number;
            bound = Math.imul(range >>> 11, probability) >>> 0;
            if (code < bound) {
              range = bound;
              probabilities[index] = probability + ((2048 - probability) >> 5);
              symbol <<= 1;
            } else {
              range = (range - bound) >>> 0;
              code = (code - bound) >>> 0;
              probabilities[index] = probability - (probability >> 5);
              symbol = (symbol << 1) | 1;
              rep0 = (rep0 + (1 << bit)) >>> 0;
            }
            if (range < 0x1000000) {
              range = (range << 8) >>> 0;
              code = ((code << 8) | (input[pos++] as number)) >>> 0;
            }
          }
          // The end marker.
          if (rep0 === 0xffffffff) break;
        }
      }

      if (rep0 >= dst - dictionaryStart) throw tooFar(pos, rep0);
      if (length > limit - dst)
        throw new FormatError('over-budget', 'lzma match', pos, 'reaches beyond the announced size');
      const source = dst - rep0 - 1;
      if (length > 48 && rep0 >= length) out.copyWithin(dst, source, source + length);
      else for (let i = 0; i < length; i++) out[dst + i] = out[source + i] as number;
      dst += length;
    }
    if (pos > to) throw cut(pos);
    this.#state = state;
    this.#rep0 = rep0;
    this.#rep1 = rep1;
    this.#rep2 = rep2;
    this.#rep3 = rep3;
    return { pos, done: dst, finished: code === 0 };
  }
}

function cut(pos: number): FormatError {
  return new FormatError('truncated', 'lzma stream', pos, 'ends inside a symbol');
}

function tooFar(pos: number, rep0: number): FormatError {
  return new FormatError('malformed', 'lzma match', pos, `distance ${rep0 + 1} leads before the dictionary`);
}
