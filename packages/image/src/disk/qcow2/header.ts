import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { ByteSource } from '../../source/byte-source.ts';

/** What is needed of a qcow2 header (QEMU, docs/interop/qcow2.rst, "Header"). Offsets and sizes in bytes. */
export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  /** Of the guest's disk. */
  readonly size: number;
  readonly l1Offset: number;
  /** In entries of 8 bytes. */
  readonly l1Entries: number;
  readonly snapshots: number;
  readonly compression: 'zlib' | 'zstd';
  /** L2 entries are of 16 bytes, with a bit for each 32nd part of a cluster. */
  readonly extendedL2: boolean;
  readonly dirty: boolean;
  readonly corrupt: boolean;
  /** Undefined where the image stands alone. */
  readonly backing: { readonly offset: number; readonly length: number } | undefined;
  /** Where header extensions begin. */
  readonly extensions: number;
  /** Bits of features without which the image can't be read, as far as they are not known here. */
  readonly unknownFeatures: readonly number[];
  readonly externalData: boolean;
}

const FEATURE = { dirty: 0, corrupt: 1, externalData: 2, compression: 3, extendedL2: 4 } as const;
const KNOWN_FEATURES = 5;
/** `QFI` and 0xfb. */
const MAGIC = 0x514649fb;
const V2_HEADER = 72;
const V3_HEADER = 104;
/** QEMU makes and opens clusters of 512 bytes to 2 MiB, the format's own floor is 512. */
const CLUSTER_BITS = { least: 9, most: 21, leastExtended: 14 } as const;
/** QEMU opens no larger L1 table: 32 MiB. */
const MOST_L1_ENTRIES = 2 ** 22;
/** The format's own limit. */
const MOST_NAME = 1023;

/** @throws FormatError malformed, unsupported, encrypted, truncated */
export async function readQcow2Header(source: ByteSource): Promise<Qcow2Header> {
  const bytes = await source.read(0, Math.min(source.size, V3_HEADER + 8));
  const reader = new ByteReader(bytes, 'big');
  if (reader.u32(0, 'qcow2 magic') !== MAGIC) throw fail('malformed', 0, 'no qcow2 magic');
  const version = reader.u32(4, 'qcow2 version');
  if (version !== 2 && version !== 3) throw fail('unsupported', 4, `version ${version}`);
  const clusterBits = reader.u32(20, 'qcow2 cluster bits');
  if (clusterBits < CLUSTER_BITS.least || clusterBits > CLUSTER_BITS.most)
    throw fail('malformed', 20, `clusters of 2^${clusterBits} bytes`);
  const clusterBytes = 2 ** clusterBits;
  checkCipher(reader.u32(32, 'qcow2 encryption'));

  const v3 = version === 3;
  const low = v3 ? reader.u32(76, 'qcow2 incompatible features') : 0;
  const high = v3 ? reader.u32(72, 'qcow2 incompatible features') : 0;
  const feature = (bit: number): boolean => ((low >>> bit) & 1) === 1;
  const headerLength = v3 ? reader.u32(100, 'qcow2 header length') : V2_HEADER;
  if (v3 && (headerLength < V3_HEADER || headerLength % 8 !== 0 || headerLength > clusterBytes))
    throw fail('malformed', 100, `a header of ${headerLength} bytes`);
  const extendedL2 = feature(FEATURE.extendedL2);
  if (extendedL2 && clusterBits < CLUSTER_BITS.leastExtended)
    throw fail('malformed', 20, `subclusters in clusters of 2^${clusterBits} bytes`);

  const size = reader.size64(24, 'qcow2 disk size');
  const l1Entries = reader.u32(36, 'qcow2 L1 entries');
  const l1Offset = reader.size64(40, 'qcow2 L1 offset');
  const perL1 = clusterBytes * (clusterBytes / (extendedL2 ? 16 : 8));
  if (l1Entries > MOST_L1_ENTRIES) throw fail('malformed', 36, `an L1 table of ${l1Entries} entries`);
  if (Math.ceil(size / perL1) > l1Entries)
    throw fail('malformed', 36, `an L1 table of ${l1Entries} entries is too small for ${size} bytes`);
  if (l1Offset % clusterBytes !== 0) throw fail('malformed', 40, 'the L1 table lies inside a cluster');
  if (l1Offset + l1Entries * 8 > source.size)
    throw fail('truncated', 40, `the L1 table ends at byte ${l1Offset + l1Entries * 8} of ${source.size}`);

  return {
    version,
    clusterBits,
    size,
    l1Offset,
    l1Entries,
    snapshots: reader.u32(60, 'qcow2 snapshots'),
    compression: compressionOf(reader, feature(FEATURE.compression), headerLength),
    extendedL2,
    dirty: feature(FEATURE.dirty),
    corrupt: feature(FEATURE.corrupt),
    backing: backingOf(reader, clusterBytes),
    extensions: headerLength,
    unknownFeatures: Array.from({ length: 64 }, (_, bit) => bit).filter(
      (bit) => bit >= KNOWN_FEATURES && (((bit < 32 ? low : high) >>> (bit % 32)) & 1) === 1,
    ),
    externalData: feature(FEATURE.externalData),
  };
}

function checkCipher(method: number): void {
  if (method === 0) return;
  if (method === 1) throw fail('encrypted', 32, "encrypted with AES: its content can't be read without its key");
  if (method === 2) throw fail('encrypted', 32, "encrypted with LUKS: its content can't be read without its key");
  throw fail('malformed', 32, `encryption method ${method}`);
}

function compressionOf(reader: ByteReader, told: boolean, headerLength: number): 'zlib' | 'zstd' {
  const type = headerLength > V3_HEADER ? reader.u8(V3_HEADER, 'qcow2 compression type') : 0;
  // The feature bit is set exactly if the type is another one than zlib.
  if (told !== (type !== 0)) throw fail('malformed', V3_HEADER, 'compression type and its feature bit contradict');
  if (type === 0) return 'zlib';
  if (type === 1) return 'zstd';
  throw fail('unsupported', V3_HEADER, `compression type ${type}`);
}

function backingOf(reader: ByteReader, clusterBytes: number): Qcow2Header['backing'] {
  const offset = reader.size64(8, 'qcow2 backing file');
  const length = reader.u32(16, 'qcow2 backing file');
  if (offset === 0) return undefined;
  if (length > MOST_NAME || offset + length > clusterBytes)
    throw fail('malformed', 8, 'the name of its backing file lies outside of the header');
  return { offset, length };
}

function fail(
  kind: 'malformed' | 'unsupported' | 'encrypted' | 'truncated',
  offset: number,
  detail: string,
): FormatError {
  return new FormatError(kind, 'qcow2 header', offset, detail);
}
