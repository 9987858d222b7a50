import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { decodeBcjX86 } from './bcj-x86.ts';
import { crc64 } from './crc64.ts';
import { decodeLzma2, lzma2Decoder } from './lzma2.ts';

const STREAM_HEADER = 12;
const FILTER = { x86: 0x04, lzma2: 0x21 } as const;
const CHECK = { none: 0x00, crc32: 0x01, crc64: 0x04, sha256: 0x0a } as const;
/** Sizes of the checks 0x00–0x0f, known or not (xz file format, 2.1.1.2). */
const CHECK_SIZE = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;

/** A block's filter chain, as far as it is known here: LZMA2, before it the x86 branch filter or nothing. */
interface Block {
  readonly dataOffset: number;
  /** Start address of the x86 filter; undefined without it. */
  readonly x86: number | undefined;
}

/**
 * One xz stream (the .xz file format 1.1.0) with LZMA2 and the x86 branch filter, its blocks' checks verified.
 * The index and the footer, which only serve random access, are not read.
 */
export function unpackXz(payload: Uint8Array, size: number): Uint8Array {
  const reader = new ByteReader(payload);
  const check = readStreamHeader(reader);
  const decoder = lzma2Decoder(size);
  const { out } = decoder;
  let pos = STREAM_HEADER;
  let done = 0;
  // A zero where a block header's size would stand begins the index.
  while (reader.u8(pos, 'xz block header') !== 0) {
    const block = readBlockHeader(reader, pos);
    const result = decodeLzma2(decoder, payload, block.dataOffset, payload.length, done);
    const content = out.subarray(done, result.done);
    if (block.x86 !== undefined) decodeBcjX86(content, block.x86);
    const checkOffset = align4(result.pos);
    verify(check, content, reader.slice(checkOffset, CHECK_SIZE[check] as number, 'xz check'), checkOffset);
    pos = checkOffset + (CHECK_SIZE[check] as number);
    done = result.done;
  }
  if (done !== size)
    throw new FormatError('malformed', 'xz payload', pos, `unpacked to ${done} bytes, ${size} announced`);
  return out;
}

/** @returns the check's id */
function readStreamHeader(reader: ByteReader): number {
  const flags = reader.slice(6, 2, 'xz stream flags');
  if (reader.u32(8, 'xz stream header checksum') !== crc32(flags))
    throw new FormatError('malformed', 'xz stream header', 8, 'checksum is wrong');
  const [reserved = 0, check = 0] = flags;
  if (reserved !== 0 || check > 0x0f)
    throw new FormatError('unsupported', 'xz stream flags', 6, 'reserved bits are set');
  return check;
}

function readBlockHeader(reader: ByteReader, start: number): Block {
  const what = 'xz block header';
  const length = (reader.u8(start, what) + 1) * 4;
  const header = reader.slice(start, length - 4, what);
  if (reader.u32(start + length - 4, what) !== crc32(header))
    throw new FormatError('malformed', what, start, 'checksum is wrong');
  const inner = new ByteReader(header);
  const flags = inner.u8(1, what);
  if (flags & 0x3c) throw new FormatError('unsupported', what, start, 'reserved flags are set');
  const cursor = { pos: 2 };
  if (flags & 0x40) variableInteger(inner, cursor);
  if (flags & 0x80) variableInteger(inner, cursor);
  let x86: number | undefined;
  for (let left = (flags & 3) + 1; left > 0; left--) {
    const id = variableInteger(inner, cursor);
    const propertiesSize = variableInteger(inner, cursor);
    const at = cursor.pos;
    cursor.pos += propertiesSize;
    if (!inner.has(at, propertiesSize)) throw new FormatError('malformed', what, start + at, 'filter properties');
    if (id === FILTER.lzma2 && left === 1 && propertiesSize === 1) return { dataOffset: start + length, x86 };
    if (id !== FILTER.x86 || x86 !== undefined)
      throw new FormatError('unsupported', 'xz filter', start + at, `filter 0x${id.toString(16)} in this place`);
    x86 = propertiesSize === 4 ? inner.u32(at, what) : 0;
  }
  throw new FormatError('unsupported', 'xz filter', start, 'the last filter is not LZMA2');
}

/** xz's multibyte integers; those above 2^31 mean nothing here. */
function variableInteger(reader: ByteReader, cursor: { pos: number }): number {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = reader.u8(cursor.pos++, 'xz multibyte integer');
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value;
  }
  throw new FormatError('malformed', 'xz multibyte integer', cursor.pos, 'longer than nine bytes');
}

function verify(check: number, content: Uint8Array, stored: Uint8Array, offset: number): void {
  const reader = new ByteReader(stored);
  let good: boolean;
  switch (check) {
    case CHECK.crc32:
      good = reader.u32(0, 'xz check') === crc32(content);
      break;
    case CHECK.crc64:
      good = reader.u64(0, 'xz check') === crc64(content);
      break;
    case CHECK.sha256:
      good = createHash('sha256').update(content).digest().equals(stored);
      break;
    default:
      // None, or one that the format reserves: a decoder may skip it (2.1.1.2).
      good = true;
  }
  if (!good) throw new FormatError('malformed', 'xz check', offset, 'the unpacked bytes do not match');
}

function align4(offset: number): number {
  return (offset + 3) & ~3;
}
