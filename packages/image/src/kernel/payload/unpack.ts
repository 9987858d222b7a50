import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { unpackBzip2 } from './bzip2.ts';
import { unpackGzip } from './gzip.ts';
import { unpackLz4Frame } from './lz4-frame.ts';
import { unpackLz4Legacy } from './lz4-legacy.ts';
import { unpackLzmaAlone } from './lzma-alone.ts';
import { unpackLzop } from './lzop.ts';
import { unpackXz } from './xz.ts';
import { unpackZstd } from './zstd.ts';

/** How a payload is packed. `none` is an ELF file as it is. */
export type PayloadFormat = 'none' | 'gzip' | 'xz' | 'lzma' | 'zstd' | 'lz4-legacy' | 'lz4' | 'bzip2' | 'lzo';

interface Unpacker {
  readonly format: PayloadFormat;
  readonly magic: readonly number[];
  /** The kernel's build appends the unpacked size (scripts/Makefile.lib, size_append) to all but gzip. */
  readonly sizeAppended: boolean;
  readonly unpack: (payload: Uint8Array, size: number) => Uint8Array;
}

const UNPACKERS: readonly Unpacker[] = [
  { format: 'gzip', magic: [0x1f, 0x8b], sizeAppended: false, unpack: unpackGzip },
  { format: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], sizeAppended: true, unpack: unpackXz },
  { format: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], sizeAppended: true, unpack: unpackZstd },
  { format: 'lz4-legacy', magic: [0x02, 0x21, 0x4c, 0x18], sizeAppended: true, unpack: unpackLz4Legacy },
  { format: 'lz4', magic: [0x04, 0x22, 0x4d, 0x18], sizeAppended: true, unpack: unpackLz4Frame },
  { format: 'lzma', magic: [0x5d, 0x00, 0x00], sizeAppended: true, unpack: unpackLzmaAlone },
  { format: 'bzip2', magic: [0x42, 0x5a, 0x68], sizeAppended: true, unpack: unpackBzip2 },
  {
    format: 'lzo',
    magic: [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a],
    sizeAppended: true,
    unpack: unpackLzop,
  },
  { format: 'none', magic: [0x7f, 0x45, 0x4c, 0x46], sizeAppended: false, unpack: (payload) => payload },
];

/**
 * Unpacks a kernel payload. Its last four bytes announce the unpacked size, and exactly that many must come out.
 * @param limit the largest size allowed, in bytes
 * @throws FormatError
 */
export function unpackPayload(payload: Uint8Array, limit: number): { format: PayloadFormat; image: Uint8Array } {
  const unpacker = UNPACKERS.find(({ magic }) => startsWith(payload, magic));
  if (unpacker === undefined) {
    const first = Buffer.from(payload.subarray(0, 6)).toString('hex');
    throw new FormatError('unsupported', 'payload', 0, `unknown magic ${first}`);
  }
  const { format } = unpacker;
  if (format === 'none') return { format, image: payload };
  const reader = new ByteReader(payload);
  const size = reader.u32(payload.length - 4, 'unpacked size');
  if (size > limit)
    throw new FormatError('over-budget', 'payload', 0, `unpacks to ${size} bytes, ${limit} are allowed`);
  const packed = unpacker.sizeAppended ? payload.subarray(0, -4) : payload;
  return { format, image: unpacker.unpack(packed, size) };
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);
}
