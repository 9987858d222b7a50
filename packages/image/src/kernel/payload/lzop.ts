import { crc32 } from 'node:zlib';
import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { adler32 } from './adler32.ts';
import { decodeLzo1x } from './lzo1x.ts';

const MAGIC_SIZE = 9;
/** From this version of lzop on the header has a few fields more. */
const VERSION_0_94 = 0x0940;
const FLAG = {
  adlerUnpacked: 0x0001,
  adlerPacked: 0x0002,
  extraField: 0x0040,
  crcUnpacked: 0x0100,
  crcPacked: 0x0200,
  multipart: 0x0400,
  filter: 0x0800,
  headerCrc: 0x1000,
} as const;
/** LZO1X-1, LZO1X-1(15) and LZO1X-999: made otherwise, read alike. */
const METHODS = new Set([1, 2, 3]);
/** lzop's own limit; it writes blocks of 256 KiB. */
const MOST_BLOCK = 64 * 2 ** 20;

interface Header {
  readonly flags: number;
  /** Where the blocks begin. */
  readonly end: number;
}

/** One member of an .lzop file, as lzop 1 writes it for kernels, its checksums verified. */
export function unpackLzop(payload: Uint8Array, size: number): Uint8Array {
  const reader = new ByteReader(payload, 'big');
  const { flags, end } = readHeader(reader);
  const out = Buffer.allocUnsafeSlow(size);
  let pos = end;
  let done = 0;
  const word = (what: string): number => {
    pos += 4;
    return reader.u32(pos - 4, what);
  };
  for (;;) {
    const start = pos;
    const unpacked = word('lzop block size');
    if (unpacked === 0) break;
    const packed = word('lzop block size');
    if (unpacked > MOST_BLOCK || packed > unpacked)
      throw new FormatError('malformed', 'lzop block size', start, `${packed} bytes of ${unpacked}`);
    if (unpacked > size - done)
      throw new FormatError('over-budget', 'lzop block', start, 'unpacks to more than the announced size');
    const adlerUnpacked = flags & FLAG.adlerUnpacked ? word('lzop checksum') : undefined;
    const crcUnpacked = flags & FLAG.crcUnpacked ? word('lzop checksum') : undefined;
    // A block that is stored as it is has only the checksums of what it holds.
    const stored = packed === unpacked;
    const adlerPacked = !stored && flags & FLAG.adlerPacked ? word('lzop checksum') : undefined;
    const crcPacked = !stored && flags & FLAG.crcPacked ? word('lzop checksum') : undefined;
    const block = reader.slice(pos, packed, 'lzop block');
    verify(block, adlerPacked, crcPacked, start);
    if (stored) out.set(block, done);
    else {
      const reached = decodeLzo1x(payload, pos, pos + packed, out, done, done + unpacked);
      if (reached !== done + unpacked)
        throw new FormatError('malformed', 'lzop block', start, `unpacked to ${reached - done} bytes, not ${unpacked}`);
    }
    verify(out.subarray(done, done + unpacked), adlerUnpacked, crcUnpacked, start);
    pos += packed;
    done += unpacked;
  }
  if (done !== size)
    throw new FormatError('malformed', 'lzop file', pos, `unpacked to ${done} bytes, ${size} announced`);
  return out;
}

function readHeader(reader: ByteReader): Header {
  const what = 'lzop header';
  let pos = MAGIC_SIZE;
  const version = reader.u16(pos, what);
  // Versions of lzop and of its library; since 0.94 that which is needed to read it.
  pos += version >= VERSION_0_94 ? 6 : 4;
  const method = reader.u8(pos++, what);
  if (!METHODS.has(method)) throw new FormatError('unsupported', what, pos - 1, `method ${method}`);
  // The level.
  if (version >= VERSION_0_94) pos++;
  const flags = reader.u32(pos, what);
  pos += 4;
  if (flags & FLAG.filter) throw new FormatError('unsupported', what, pos - 4, 'has a filter');
  if (flags & FLAG.multipart) throw new FormatError('unsupported', what, pos - 4, 'is one part of several');
  // The file's mode, and its time in one or two words.
  pos += version >= VERSION_0_94 ? 12 : 8;
  pos += 1 + reader.u8(pos, what);
  const sum = flags & FLAG.headerCrc ? crc32 : adler32;
  if (reader.u32(pos, what) !== sum(reader.slice(MAGIC_SIZE, pos - MAGIC_SIZE, what)))
    throw new FormatError('malformed', what, pos, 'its checksum is wrong');
  pos += 4;
  if (flags & FLAG.extraField) pos += 8 + reader.u32(pos, what);
  return { flags, end: pos };
}

/** @param adler undefined where it isn't stored, as the other */
function verify(bytes: Uint8Array, adler: number | undefined, crc: number | undefined, at: number): void {
  if ((adler !== undefined && adler !== adler32(bytes)) || (crc !== undefined && crc !== crc32(bytes)))
    throw new FormatError('malformed', 'lzop block', at, 'its checksum is wrong');
}
