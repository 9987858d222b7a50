/** Numbers at which processors and their imitations tend to differ. */
import type { Random } from './random.ts';

const SMALL = [0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256];
const EDGES = [0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** 32 bits, unsigned: small, around a sign boundary, a run of ones, or anything. */
export function integer32(random: Random): number {
  switch (random.below(8)) {
    case 0:
      return random.pick(SMALL);
    case 1:
      return -random.pick(SMALL) >>> 0;
    case 2:
      return (random.pick(EDGES) + random.between(-1, 1)) >>> 0;
    case 3:
      return (1 << random.below(32)) >>> 0;
    case 4:
      return ((1 << random.below(32)) - 1) >>> 0;
    default:
      return random.next();
  }
}

/** 64 bits as [low, high]. */
export function integer64(random: Random): [number, number] {
  const low = integer32(random);
  switch (random.below(6)) {
    case 0:
      return [low, 0];
    case 1:
      return [low, low >>> 31 === 0 ? 0 : 0xffff_ffff];
    case 2:
      return [0, integer32(random)];
    case 3:
      return [0xffff_ffff, integer32(random)];
    default:
      return [low, integer32(random)];
  }
}

// ±0, ±1, ±∞; quiet and signalling NaNs; the smallest and largest, denormal and normal; around 2³¹.
const SINGLES = [
  0, 0x8000_0000, 0x3f80_0000, 0xbf80_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xffc0_0001, 0x7f80_0001,
  0xffa5_5555, 1, 0x807f_ffff, 0x0080_0000, 0x7f7f_ffff, 0x4b00_0000, 0x3f00_0000, 0x3fc0_0000, 0x4f00_0000,
  0xcf00_0000,
];

/** A single: special, moderate, or any bits. */
export function single(random: Random): number {
  const kind = random.below(4);
  if (kind === 0) return random.pick(SINGLES);
  if (kind === 1) return random.next();
  return ((random.next() & 0x807f_ffff) | (random.between(118, 160) << 23)) >>> 0;
}

/** Upper halves of doubles whose lower half is 0: ±0, ±1, ±∞, NaNs, halves, the smallest, ±2³¹, ±2⁶³, 2⁵². */
const ROUND_DOUBLES = [
  0, 0x8000_0000, 0x3ff0_0000, 0xbff0_0000, 0x7ff0_0000, 0xfff0_0000, 0x7ff8_0000, 0xfff8_0000, 0x3fe0_0000,
  0x3ff8_0000, 0x0010_0000, 0x41e0_0000, 0xc1e0_0000, 0x43e0_0000, 0xc3e0_0000, 0x4330_0000,
];

const DOUBLES: readonly (readonly [number, number])[] = [
  [1, 0],
  [0xffff_ffff, 0x000f_ffff],
  [1, 0x7ff0_0000],
  [0x5555_5555, 0xfff4_5555],
  [0xffff_ffff, 0x7fef_ffff],
  [0xffc0_0000, 0x41df_ffff], // 2³¹ − 1
  [0xffe0_0000, 0x41df_ffff], // 2³¹ − ½
];

/** A double as [low, high]: special, moderate, exactly a single, or any bits. */
export function double(random: Random): readonly [number, number] {
  switch (random.below(5)) {
    case 0:
      return random.chance(60) ? [0, random.pick(ROUND_DOUBLES)] : random.pick(DOUBLES);
    case 1:
      return [random.next(), random.next()];
    case 2:
      return [random.next() & 0xe000_0000, moderateHigh(random)];
    default:
      return [random.next(), moderateHigh(random)];
  }
}

function moderateHigh(random: Random): number {
  return ((random.next() & 0x800f_ffff) | (random.between(1005, 1090) << 20)) >>> 0;
}

/** 16 bytes for a vector register or memory, written at `at` of `words`: four lanes of one kind. */
export function vector(random: Random, words: Uint32Array, at: number): void {
  const kind = random.below(4);
  for (let lane = 0; lane < 4; lane += 2) {
    if (kind === 0) {
      words[at + lane] = single(random);
      words[at + lane + 1] = single(random);
    } else if (kind === 1) {
      [words[at + lane], words[at + lane + 1]] = double(random);
    } else if (kind === 2) {
      [words[at + lane], words[at + lane + 1]] = integer64(random);
    } else {
      words[at + lane] = random.next();
      words[at + lane + 1] = random.next();
    }
  }
}
