import { FormatError } from '../../format-error.ts';
import type { BitReader } from './bit-reader.ts';
import { type PrefixCode, readPrefixCode } from './bzip2-code.ts';

/** So many symbols share a choice of code. */
const GROUP = 50;
/** More selectors than a block of 900 kB can use; bzip2 writes no more. */
const MOST_SELECTORS = 18002;
/** Up to this place a loop moves a list faster than a call. */
const NEAR = 24;
/** The two digits of run lengths; symbols above are places in the list of recent bytes. */
const RUN_A = 0;
const RUN_B = 1;

/**
 * Reads one block's symbols and undoes the move to front and the Burrows-Wheeler transform.
 * @param most bytes in a block
 * @returns the block's bytes, before its runs of equal bytes are expanded; a view of `work`, in which `most` words fit
 */
export function readBzip2Block(reader: BitReader, most: number, work: Uint32Array): { first: number; count: number } {
  const malformed = (what: string, detail: string): FormatError =>
    new FormatError('malformed', what, reader.position, detail);
  if (reader.bit() === 1) throw new FormatError('unsupported', 'bzip2 block', reader.position, 'is randomised');
  const origin = reader.bits(24);
  const recent = readUsedBytes(reader);
  if (recent.length === 0) throw malformed('bzip2 block', 'uses no byte at all');

  const codeCount = reader.bits(3);
  if (codeCount < 2 || codeCount > 6) throw malformed('bzip2 block', `${codeCount} codes`);
  const selectors = readSelectors(reader, codeCount);
  const endOfBlock = recent.length + 1;
  const codes = Array.from({ length: codeCount }, () => readPrefixCode(reader, recent.length + 2));

  const counts = new Uint32Array(256);
  let count = 0;
  let run = 0;
  let runDigit = 1;
  let group = 0;
  let left = 0;
  let code: PrefixCode | undefined;
  for (;;) {
    if (left === 0) {
      code = codes[selectors[group++] ?? codeCount];
      if (code === undefined) throw malformed('bzip2 block', 'more symbols than selectors');
      left = GROUP;
    }
    left--;
    const symbol = (code as PrefixCode).read(reader);
    if (symbol === RUN_A || symbol === RUN_B) {
      run += runDigit << symbol;
      runDigit <<= 1;
      if (run > most) throw malformed('bzip2 run', 'longer than a block');
      continue;
    }
    if (run > 0) {
      const byte = recent[0] as number;
      if (count + run > most) throw malformed('bzip2 block', `more than ${most} bytes`);
      work.fill(byte, count, count + run);
      counts[byte] = (counts[byte] as number) + run;
      count += run;
      run = 0;
      runDigit = 1;
    }
    if (symbol === endOfBlock) break;
    if (count >= most) throw malformed('bzip2 block', `more than ${most} bytes`);
    const place = symbol - 1;
    const byte = moveToFront(recent, place);
    work[count++] = byte;
    counts[byte] = (counts[byte] as number) + 1;
  }
  if (origin >= count) throw malformed('bzip2 block', `begins at ${origin} of ${count} bytes`);
  link(work, count, counts);
  return { first: (work[origin] as number) >>> 8, count };
}

/**
 * Undoes the transform as a chain: afterwards each word has its byte, and above it where the next word is.
 */
function link(work: Uint32Array, count: number, counts: Uint32Array): void {
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const here = counts[byte] as number;
    counts[byte] = sum;
    sum += here;
  }
  for (let i = 0; i < count; i++) {
    const byte = (work[i] as number) & 0xff;
    const place = counts[byte] as number;
    counts[byte] = place + 1;
    work[place] = ((work[place] as number) | (i << 8)) >>> 0;
  }
}

/** Which bytes occur, in order: a bit for each sixteen, then a bit for each. */
function readUsedBytes(reader: BitReader): Uint8Array {
  const sixteens = reader.bits(16);
  const used: number[] = [];
  for (let high = 0; high < 16; high++) {
    if (((sixteens >> (15 - high)) & 1) === 0) continue;
    const bits = reader.bits(16);
    for (let low = 0; low < 16; low++) if ((bits >> (15 - low)) & 1) used.push(high * 16 + low);
  }
  return Uint8Array.from(used);
}

/** Which code each group of symbols uses, as places in a list of recent codes. */
function readSelectors(reader: BitReader, codeCount: number): Uint8Array {
  const count = reader.bits(15);
  if (count === 0 || count > MOST_SELECTORS)
    throw new FormatError('malformed', 'bzip2 block', reader.position, `${count} selectors`);
  const recent = Uint8Array.from({ length: codeCount }, (_, code) => code);
  const selectors = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let place = 0;
    while (reader.bit() === 1)
      if (++place === codeCount)
        throw new FormatError('malformed', 'bzip2 selector', reader.position, `one of ${codeCount} codes`);
    selectors[i] = moveToFront(recent, place);
  }
  return selectors;
}

function moveToFront(recent: Uint8Array, place: number): number {
  const value = recent[place] as number;
  if (place > NEAR) recent.copyWithin(1, 0, place);
  else for (let i = place; i > 0; i--) recent[i] = recent[i - 1] as number;
  recent[0] = value;
  return value;
}
