import { FormatError } from '../../format-error.ts';

/** A record names a length, a key and a value; real headers hold a few hundred bytes, sparse maps of pax 0 more. */
export const MOST_PAX_BYTES = 2 ** 20;

export interface PaxRecords {
  readonly values: ReadonlyMap<string, string>;
  /** Of `GNU.sparse.offset` and `GNU.sparse.numbytes`, which repeat: in turns, in bytes. */
  readonly sparsePairs: readonly number[];
}

/**
 * Records of a pax header: `<length> <key>=<value>\n` each (POSIX.1-2017 pax, "pax Extended Header").
 * @param at where they lie in the archive. @throws FormatError malformed
 */
export function parsePaxRecords(bytes: Uint8Array, at: number): PaxRecords {
  const values = new Map<string, string>();
  const sparsePairs: number[] = [];
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let pos = 0; pos < content.length; ) {
    const space = content.indexOf(0x20, pos);
    const length = space < 0 || space - pos > 7 ? Number.NaN : Number(content.toString('latin1', pos, space));
    const end = pos + length;
    if (!Number.isInteger(length) || end > content.length || end <= space + 1 || content[end - 1] !== 0x0a)
      throw new FormatError('malformed', 'pax header', at + pos, 'a record whose length is wrong');
    const record = content.toString('utf8', space + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals < 0) throw new FormatError('malformed', 'pax header', at + pos, 'a record without a value');
    const key = record.slice(0, equals);
    const value = record.slice(equals + 1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      const inTurn = (sparsePairs.length % 2 === 0) === (key === 'GNU.sparse.offset');
      if (!inTurn) throw new FormatError('malformed', 'pax header', at + pos, 'a sparse map out of order');
      sparsePairs.push(paxNumber(value, at + pos));
    } else values.set(key, value);
    pos = end;
  }
  return { values, sparsePairs };
}

/** @throws FormatError malformed */
export function paxNumber(digits: string, at: number): number {
  const value = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new FormatError('malformed', 'pax header', at, 'a size that is no number');
  return value;
}
