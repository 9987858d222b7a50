/**
 * kallsyms_token_table and kallsyms_token_index: symbol names are stored as bytes, each standing for one of 256
 * strings. The kernel's build keeps every character that names use as its own token, so the ten digits stand in a row.
 */
const DIGITS = Buffer.from('0_1_2_3_4_5_6_7_8_9_'.replaceAll('_', '\0'), 'latin1');
const TOKENS = 256;
const LONGEST_TOKEN = 128;
/** Real kernels have three places with the digits in a row; a hostile image has not more time than this. */
const MOST_PLACES = 16;

export interface TokenTable {
  /** Where the table begins and where its index ends, in the segment's bytes. */
  readonly start: number;
  readonly end: number;
  /** The string of each byte value. */
  readonly tokens: readonly string[];
}

/** All places in a segment that hold a token table followed by an index that agrees with it. */
export function* findTokenTables(segment: Uint8Array): Generator<TokenTable> {
  const buffer = Buffer.from(segment.buffer, segment.byteOffset, segment.length);
  let places = 0;
  for (let at = buffer.indexOf(DIGITS); at >= 0 && places < MOST_PLACES; at = buffer.indexOf(DIGITS, at + 1)) {
    places++;
    const table = readAround(buffer, at);
    if (table !== undefined) yield table;
  }
}

/** @param digits where the tokens '0' to '9' stand */
function readAround(buffer: Buffer, digits: number): TokenTable | undefined {
  let tableEnd = digits;
  for (let token = 0x30; token < TOKENS; token++) {
    const nul = buffer.indexOf(0, tableEnd);
    if (nul < 0 || nul - tableEnd > LONGEST_TOKEN) return undefined;
    tableEnd = nul + 1;
  }
  for (const alignment of [4, 8]) {
    const index = Math.ceil(tableEnd / alignment) * alignment;
    const tokens = readTokens(buffer, digits, tableEnd, index);
    if (tokens !== undefined)
      return { start: digits - buffer.readUInt16LE(index + 2 * 0x30), end: index + 2 * TOKENS, tokens };
  }
  return undefined;
}

/** The tokens, if the 256 16-bit offsets at `index` lead to exactly consecutive strings. */
function readTokens(buffer: Buffer, digits: number, tableEnd: number, index: number): string[] | undefined {
  if (index + 2 * TOKENS > buffer.length || buffer.readUInt16LE(index) !== 0) return undefined;
  const start = digits - buffer.readUInt16LE(index + 2 * 0x30);
  if (start < 0) return undefined;
  const tokens: string[] = [];
  let at = start;
  for (let token = 0; token < TOKENS; token++) {
    if (start + buffer.readUInt16LE(index + 2 * token) !== at) return undefined;
    const nul = buffer.indexOf(0, at);
    if (nul < 0 || nul >= tableEnd) return undefined;
    tokens.push(buffer.toString('latin1', at, nul));
    at = nul + 1;
  }
  return at === tableEnd ? tokens : undefined;
}
