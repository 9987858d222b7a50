/* oxlint-disable typescript/no-unnecessary-type-assertion -- AssemblyScript converts numbers where TypeScript asserts types */
/**
 * The LZMA decoder proper (LZMA specification, 2015), in AssemblyScript. The host puts packed bytes, probabilities and
 * the output into this module's memory, and what is kept between calls at STATE: src/kernel/payload/lzma-decoder.ts has
 * the same offsets.
 *
 * Every probability is 11 bits, starts in the middle and moves by 1/32 towards what was seen. The range coder's steps
 * stand wherever a bit is decoded: its variables must stay in registers. Bits of literals and of trees are hard to
 * guess, and a branch that the CPU guessed wrong costs more than the whole step: `zero` is all ones for a 0 and selects
 * what the bit makes of range, code and probability.
 */

import { CUT, DISTANCE, DONE, END_DST, END_POS, STATE, TOO_FAR, TOO_LONG } from './call';

/** Words, by their offset: what one call leaves for the next, and what it is told. */
const LC: usize = STATE;
const LP_MASK: usize = STATE + 4;
const PB_MASK: usize = STATE + 8;
const LAST_STATE: usize = STATE + 12;
const REP0: usize = STATE + 16;
const REP1: usize = STATE + 20;
const REP2: usize = STATE + 24;
const REP3: usize = STATE + 28;
/** Where the dictionary begins: no match reaches before it. */
const DICTIONARY: usize = STATE + 32;
/** After a call: whether the range coder came out even. */
const FINISHED: usize = STATE + 44;

const PROBABILITIES: usize = 4096;

/** Where each tree begins, in probabilities. */
const STATES: u32 = 12;
const POS_STATES: u32 = 16;
const IS_MATCH: u32 = 0;
const IS_REP: u32 = IS_MATCH + STATES * POS_STATES;
const IS_REP0: u32 = IS_REP + STATES;
const IS_REP1: u32 = IS_REP0 + STATES;
const IS_REP2: u32 = IS_REP1 + STATES;
const IS_REP0_LONG: u32 = IS_REP2 + STATES;
const DISTANCE_SLOT: u32 = IS_REP0_LONG + STATES * POS_STATES;
const DISTANCE_SPECIAL: u32 = DISTANCE_SLOT + 4 * 64;
const ALIGN: u32 = DISTANCE_SPECIAL + 128;
const MATCH_LENGTH: u32 = ALIGN + 16;
/** A length coder: two choice bits, a low and a middle tree of 8 for each position state, a high tree of 256. */
const LENGTH_LOW: u32 = 2;
const LENGTH_MIDDLE: u32 = LENGTH_LOW + POS_STATES * 8;
const LENGTH_HIGH: u32 = LENGTH_MIDDLE + POS_STATES * 8;
const LENGTH_SIZE: u32 = LENGTH_HIGH + 256;
const REP_LENGTH: u32 = MATCH_LENGTH + LENGTH_SIZE;
const LITERAL: u32 = REP_LENGTH + LENGTH_SIZE;
const LITERAL_SIZE: u32 = 0x300;

/** From this state on, the last symbol was not a literal. */
const STATE_AFTER_MATCH: u32 = 7;
/** `p - ((p + TOWARDS_ZERO) >> 5)` is `p + ((2048 - p) >> 5)`: what a 0 makes of a probability, in the form of a 1's. */
const TOWARDS_ZERO: u32 = 31 - 2048;

/**
 * Decodes one range-coded stretch of the input, from the first byte after the coder's 0, to `at` until `limit` is
 * reached or an end mark. One symbol reads fewer than 24 bytes, so the end of the input is checked once a symbol.
 */
export function decodeLzma(from: usize, to: usize, at: usize, limit: usize): i32 {
  const lc: u32 = load<u32>(LC);
  const lpMask: u32 = load<u32>(LP_MASK);
  const pbMask: u32 = load<u32>(PB_MASK);
  const dictionary: usize = load<u32>(DICTIONARY);
  let state: u32 = load<u32>(LAST_STATE);
  let rep0: u32 = load<u32>(REP0);
  let rep1: u32 = load<u32>(REP1);
  let rep2: u32 = load<u32>(REP2);
  let rep3: u32 = load<u32>(REP3);

  let range: u32 = 0xffffffff;
  let code: u32 = bswap<u32>(load<u32>(from));
  let pos: usize = from + 4;
  let dst: usize = at;
  let address: usize = 0;
  let probability: u32 = 0;
  let bound: u32 = 0;
  let zero: u32 = 0;
  let rest: u32 = 0;
  let tree: usize = 0;
  let symbol: u32 = 0;
  let result: i32 = DONE;

  while (dst < limit) {
    if (pos > to) {
      result = CUT;
      break;
    }
    const posState: u32 = <u32>(dst - dictionary) & pbMask;
    address = PROBABILITIES + ((IS_MATCH + (state << 4) + posState) << 1);
    probability = <u32>load<u16>(address);
    bound = (range >>> 11) * probability;
    if (code < bound) {
      // A literal.
      range = bound;
      store<u16>(address, probability + ((2048 - probability) >>> 5));
      if (range < 0x1000000) {
        range <<= 8;
        code = (code << 8) | <u32>load<u8>(pos++);
      }
      const previous: u32 = dst > dictionary ? <u32>load<u8>(dst - 1) : 0;
      tree =
        PROBABILITIES +
        ((LITERAL + LITERAL_SIZE * (((<u32>(dst - dictionary) & lpMask) << lc) + (previous >>> (8 - lc)))) << 1);
      symbol = 1;
      if (state >= STATE_AFTER_MATCH) {
        // After a match, the byte that would have followed it selects the tree until a bit differs.
        let matchByte: u32 = <u32>load<u8>(dst - rep0 - 1);
        let offset: u32 = 0x100;
        do {
          matchByte <<= 1;
          const matchBit: u32 = matchByte & offset;
          address = tree + ((offset + matchBit + symbol) << 1);
          probability = <u32>load<u16>(address);
          bound = (range >>> 11) * probability;
          zero = 0 - <u32>(code < bound);
          rest = range - bound;
          range = select<u32>(bound, rest, zero);
          code = select<u32>(code, code - bound, zero);
          store<u16>(address, probability - <u32>((<i32>probability + <i32>(zero & TOWARDS_ZERO)) >> 5));
          offset &= matchBit ^ zero;
          symbol = (symbol << 1) + 1 + zero;
          if (range < 0x1000000) {
            range <<= 8;
            code = (code << 8) | <u32>load<u8>(pos++);
          }
        } while (symbol < 0x100);
      } else
        do {
          address = tree + (symbol << 1);
          probability = <u32>load<u16>(address);
          bound = (range >>> 11) * probability;
          zero = 0 - <u32>(code < bound);
          rest = range - bound;
          range = select<u32>(bound, rest, zero);
          code = select<u32>(code, code - bound, zero);
          store<u16>(address, probability - <u32>((<i32>probability + <i32>(zero & TOWARDS_ZERO)) >> 5));
          symbol = (symbol << 1) + 1 + zero;
          if (range < 0x1000000) {
            range <<= 8;
            code = (code << 8) | <u32>load<u8>(pos++);
          }
        } while (symbol < 0x100);
      store<u8>(dst++, symbol);
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    range -= bound;
    code -= bound;
    store<u16>(address, probability - (probability >>> 5));
    if (range < 0x1000000) {
      range <<= 8;
      code = (code << 8) | <u32>load<u8>(pos++);
    }

    let lengthCoder: u32 = MATCH_LENGTH;
    address = PROBABILITIES + ((IS_REP + state) << 1);
    probability = <u32>load<u16>(address);
    bound = (range >>> 11) * probability;
    if (code < bound) {
      // A match with a new distance.
      range = bound;
      store<u16>(address, probability + ((2048 - probability) >>> 5));
      if (range < 0x1000000) {
        range <<= 8;
        code = (code << 8) | <u32>load<u8>(pos++);
      }
    } else {
      range -= bound;
      code -= bound;
      store<u16>(address, probability - (probability >>> 5));
      if (range < 0x1000000) {
        range <<= 8;
        code = (code << 8) | <u32>load<u8>(pos++);
      }
      lengthCoder = REP_LENGTH;
      // Which of the last four distances: three bits at most, and for the first one more, "just one byte".
      address = PROBABILITIES + ((IS_REP0 + state) << 1);
      probability = <u32>load<u16>(address);
      bound = (range >>> 11) * probability;
      if (code < bound) {
        range = bound;
        store<u16>(address, probability + ((2048 - probability) >>> 5));
        if (range < 0x1000000) {
          range <<= 8;
          code = (code << 8) | <u32>load<u8>(pos++);
        }
        address = PROBABILITIES + ((IS_REP0_LONG + (state << 4) + posState) << 1);
        probability = <u32>load<u16>(address);
        bound = (range >>> 11) * probability;
        if (code < bound) {
          range = bound;
          store<u16>(address, probability + ((2048 - probability) >>> 5));
          if (range < 0x1000000) {
            range <<= 8;
            code = (code << 8) | <u32>load<u8>(pos++);
          }
          if (<usize>rep0 >= dst - dictionary) {
            store<u32>(DISTANCE, rep0 + 1);
            result = TOO_FAR;
            break;
          }
          store<u8>(dst, load<u8>(dst - rep0 - 1));
          dst++;
          state = state < STATE_AFTER_MATCH ? 9 : 11;
          continue;
        }
        range -= bound;
        code -= bound;
        store<u16>(address, probability - (probability >>> 5));
        if (range < 0x1000000) {
          range <<= 8;
          code = (code << 8) | <u32>load<u8>(pos++);
        }
      } else {
        range -= bound;
        code -= bound;
        store<u16>(address, probability - (probability >>> 5));
        if (range < 0x1000000) {
          range <<= 8;
          code = (code << 8) | <u32>load<u8>(pos++);
        }
        let distance: u32 = rep1;
        address = PROBABILITIES + ((IS_REP1 + state) << 1);
        probability = <u32>load<u16>(address);
        bound = (range >>> 11) * probability;
        if (code < bound) {
          range = bound;
          store<u16>(address, probability + ((2048 - probability) >>> 5));
        } else {
          range -= bound;
          code -= bound;
          store<u16>(address, probability - (probability >>> 5));
          if (range < 0x1000000) {
            range <<= 8;
            code = (code << 8) | <u32>load<u8>(pos++);
          }
          address = PROBABILITIES + ((IS_REP2 + state) << 1);
          probability = <u32>load<u16>(address);
          bound = (range >>> 11) * probability;
          if (code < bound) {
            range = bound;
            store<u16>(address, probability + ((2048 - probability) >>> 5));
            distance = rep2;
          } else {
            range -= bound;
            code -= bound;
            store<u16>(address, probability - (probability >>> 5));
            distance = rep3;
            rep3 = rep2;
          }
          rep2 = rep1;
        }
        if (range < 0x1000000) {
          range <<= 8;
          code = (code << 8) | <u32>load<u8>(pos++);
        }
        rep1 = rep0;
        rep0 = distance;
      }
    }

    // The length: a choice of three trees.
    let treeBits: u32 = 8;
    let base: u32 = 2;
    address = PROBABILITIES + (lengthCoder << 1);
    probability = <u32>load<u16>(address);
    bound = (range >>> 11) * probability;
    if (code < bound) {
      range = bound;
      store<u16>(address, probability + ((2048 - probability) >>> 5));
      tree = PROBABILITIES + ((lengthCoder + LENGTH_LOW + (posState << 3)) << 1);
    } else {
      range -= bound;
      code -= bound;
      store<u16>(address, probability - (probability >>> 5));
      if (range < 0x1000000) {
        range <<= 8;
        code = (code << 8) | <u32>load<u8>(pos++);
      }
      address += 2;
      probability = <u32>load<u16>(address);
      bound = (range >>> 11) * probability;
      if (code < bound) {
        range = bound;
        store<u16>(address, probability + ((2048 - probability) >>> 5));
        tree = PROBABILITIES + ((lengthCoder + LENGTH_MIDDLE + (posState << 3)) << 1);
        base = 10;
      } else {
        range -= bound;
        code -= bound;
        store<u16>(address, probability - (probability >>> 5));
        tree = PROBABILITIES + ((lengthCoder + LENGTH_HIGH) << 1);
        treeBits = 256;
        base = 18;
      }
    }
    if (range < 0x1000000) {
      range <<= 8;
      code = (code << 8) | <u32>load<u8>(pos++);
    }
    symbol = 1;
    do {
      address = tree + (symbol << 1);
      probability = <u32>load<u16>(address);
      bound = (range >>> 11) * probability;
      zero = 0 - <u32>(code < bound);
      rest = range - bound;
      range = select<u32>(bound, rest, zero);
      code = select<u32>(code, code - bound, zero);
      store<u16>(address, probability - <u32>((<i32>probability + <i32>(zero & TOWARDS_ZERO)) >> 5));
      symbol = (symbol << 1) + 1 + zero;
      if (range < 0x1000000) {
        range <<= 8;
        code = (code << 8) | <u32>load<u8>(pos++);
      }
    } while (symbol < treeBits);
    const length: u32 = base + symbol - treeBits;

    if (lengthCoder === REP_LENGTH) state = state < STATE_AFTER_MATCH ? 8 : 11;
    else {
      state = state < STATE_AFTER_MATCH ? 7 : 10;
      rep3 = rep2;
      rep2 = rep1;
      rep1 = rep0;

      // The distance: a slot of six bits tells its two highest bits and how many follow.
      tree = PROBABILITIES + ((DISTANCE_SLOT + ((length < 6 ? length - 2 : 3) << 6)) << 1);
      symbol = 1;
      do {
        address = tree + (symbol << 1);
        probability = <u32>load<u16>(address);
        bound = (range >>> 11) * probability;
        zero = 0 - <u32>(code < bound);
        rest = range - bound;
        range = select<u32>(bound, rest, zero);
        code = select<u32>(code, code - bound, zero);
        store<u16>(address, probability - <u32>((<i32>probability + <i32>(zero & TOWARDS_ZERO)) >> 5));
        symbol = (symbol << 1) + 1 + zero;
        if (range < 0x1000000) {
          range <<= 8;
          code = (code << 8) | <u32>load<u8>(pos++);
        }
      } while (symbol < 64);
      const slot: u32 = symbol - 64;
      if (slot < 4) rep0 = slot;
      else {
        const lowBits: u32 = (slot >>> 1) - 1;
        let reverseBits: u32 = lowBits;
        rep0 = (2 | (slot & 1)) << lowBits;
        if (slot < 14) tree = PROBABILITIES + ((DISTANCE_SPECIAL + rep0 - slot) << 1);
        else {
          // The middle bits are stored plainly, only the four lowest are modelled.
          let direct: u32 = 0;
          for (let left: u32 = lowBits - 4; left > 0; left--) {
            range >>>= 1;
            zero = 0 - <u32>(code < range);
            code = select<u32>(code, code - range, zero);
            direct = (direct << 1) + 1 + zero;
            if (range < 0x1000000) {
              range <<= 8;
              code = (code << 8) | <u32>load<u8>(pos++);
            }
          }
          rep0 += direct << 4;
          tree = PROBABILITIES + (ALIGN << 1);
          reverseBits = 4;
        }
        symbol = 1;
        for (let bit: u32 = 0; bit < reverseBits; bit++) {
          address = tree + (symbol << 1);
          probability = <u32>load<u16>(address);
          bound = (range >>> 11) * probability;
          zero = 0 - <u32>(code < bound);
          rest = range - bound;
          range = select<u32>(bound, rest, zero);
          code = select<u32>(code, code - bound, zero);
          store<u16>(address, probability - <u32>((<i32>probability + <i32>(zero & TOWARDS_ZERO)) >> 5));
          symbol = (symbol << 1) + 1 + zero;
          rep0 += ~zero & (1 << bit);
          if (range < 0x1000000) {
            range <<= 8;
            code = (code << 8) | <u32>load<u8>(pos++);
          }
        }
        // The end mark.
        if (rep0 === 0xffffffff) break;
      }
    }

    if (<usize>rep0 >= dst - dictionary) {
      store<u32>(DISTANCE, rep0 + 1);
      result = TOO_FAR;
      break;
    }
    if (<usize>length > limit - dst) {
      result = TOO_LONG;
      break;
    }
    let source: usize = dst - rep0 - 1;
    const end: usize = dst + length;
    while (dst < end) store<u8>(dst++, load<u8>(source++));
  }
  if (result === DONE && pos > to) result = CUT;
  store<u32>(LAST_STATE, state);
  store<u32>(REP0, rep0);
  store<u32>(REP1, rep1);
  store<u32>(REP2, rep2);
  store<u32>(REP3, rep3);
  store<u32>(END_POS, <u32>pos);
  store<u32>(END_DST, <u32>dst);
  store<u32>(FINISHED, <u32>(code === 0));
  return result;
}
