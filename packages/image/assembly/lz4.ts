/* oxlint-disable typescript/no-unnecessary-type-assertion -- AssemblyScript converts numbers where TypeScript asserts types */
import { CUT, DISTANCE, DONE, END_DST, END_POS, TOO_FAR, TOO_LONG } from './call';

const MIN_MATCH: usize = 4;
/** Stretches are copied by words, which may write a few bytes too many: what follows overwrites them. */
const WORD: usize = 8;
/** From this length on the machine's own copy is faster. */
const LONG: usize = 64;

/**
 * Decodes one LZ4 block (lz4_Block_format.md) from `from` to `to` to the output at `at`, not beyond `limit`. Matches
 * reach back to `window`. Behind input and output there is room for a word.
 */
export function decodeLz4(from: usize, to: usize, at: usize, limit: usize, window: usize): i32 {
  let pos: usize = from;
  let dst: usize = at;
  let result: i32 = DONE;
  while (pos < to) {
    const token: usize = <usize>load<u8>(pos++);
    let literals: usize = token >>> 4;
    if (literals === 15) {
      let more: usize = 255;
      while (more === 255 && pos < to) {
        more = <usize>load<u8>(pos++);
        literals += more;
      }
      if (more === 255) {
        result = CUT;
        break;
      }
    }
    if (literals > to - pos) {
      result = CUT;
      break;
    }
    if (literals > limit - dst) {
      result = TOO_LONG;
      break;
    }
    const literalsEnd: usize = dst + literals;
    if (literals > LONG) {
      memory.copy(dst, pos, literals);
      pos += literals;
    } else {
      const next: usize = pos + literals;
      for (; dst < literalsEnd; dst += WORD, pos += WORD) store<u64>(dst, load<u64>(pos));
      pos = next;
    }
    dst = literalsEnd;
    // The last sequence is literals only.
    if (pos === to) break;

    if (to - pos < 2) {
      result = CUT;
      break;
    }
    const distance: usize = <usize>load<u16>(pos);
    if (distance === 0 || distance > dst - window) {
      store<u32>(DISTANCE, <u32>distance);
      result = TOO_FAR;
      break;
    }
    pos += 2;
    let length: usize = token & 15;
    if (length === 15) {
      let more: usize = 255;
      while (more === 255 && pos < to) {
        more = <usize>load<u8>(pos++);
        length += more;
      }
      if (more === 255) {
        result = CUT;
        break;
      }
    }
    length += MIN_MATCH;
    if (length > limit - dst) {
      result = TOO_LONG;
      break;
    }
    const end: usize = dst + length;
    if (distance >= WORD) for (; dst < end; dst += WORD) store<u64>(dst, load<u64>(dst - distance));
    else for (; dst < end; dst++) store<u8>(dst, load<u8>(dst - distance));
    dst = end;
  }
  store<u32>(END_POS, <u32>pos);
  store<u32>(END_DST, <u32>dst);
  return result;
}
