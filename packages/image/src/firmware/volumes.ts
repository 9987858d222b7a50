import { ByteReader } from '../byte-reader.ts';
import { FormatError } from '../format-error.ts';
import { unpackLzmaAlone } from '../kernel/payload/lzma-alone.ts';

/** ee4e5898-3914-4259-9d6e-dc7bd79403cf: a section packed with LZMA (edk2, MdeModulePkg LzmaCustomDecompressLib). */
const LZMA_GUID = Uint8Array.from(Buffer.from('98584eee143959429d6edc7bd79403cf', 'hex'));
/** EFI_SECTION_GUID_DEFINED (UEFI PI, volume 3): its number, and its headers with a size of 24 or of 32 bits. */
const GUID_DEFINED = 0x02;
const SHORT_HEADER = 4;
const LONG_HEADER = 8;
const LONG_SIZE = 0xffffff;
/** Properties, dictionary size, unpacked size. */
const LZMA_HEADER = 13;
/** A flash image has one, or two. */
const MOST_SECTIONS = 8;

export interface Volumes {
  /** What the packed sections hold. */
  readonly unpacked: readonly Uint8Array[];
  /** Why some could not be unpacked. */
  readonly problems: readonly string[];
}

/**
 * The packed parts of a flash image, unpacked. Sections are found by their GUID, wherever they lie: a volume's tree
 * adds nothing to what is searched in them.
 * @param limit bytes that may be unpacked in all
 */
export function unpackVolumes(file: Uint8Array, limit: number): Volumes {
  const unpacked: Uint8Array[] = [];
  const problems: string[] = [];
  const reader = new ByteReader(file);
  const buffer = Buffer.from(file.buffer, file.byteOffset, file.length);
  let left = limit;
  let sections = 0;
  for (let at = buffer.indexOf(LZMA_GUID); at >= 0; at = buffer.indexOf(LZMA_GUID, at + 1)) {
    const packed = packedAt(reader, at);
    if (packed === undefined) continue;
    if (++sections > MOST_SECTIONS) {
      problems.push(`more than ${MOST_SECTIONS} packed sections`);
      break;
    }
    try {
      const size = new ByteReader(packed).size64(5, 'packed section');
      if (size > left) throw new FormatError('over-budget', 'packed section', at, `unpacks to ${size} bytes`);
      unpacked.push(unpackLzmaAlone(packed, size));
      left -= size;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      problems.push(`packed section at byte ${at}: ${error.message}`);
    }
  }
  return { unpacked, problems };
}

/** The packed bytes of the section whose GUID stands at `at`; undefined where it is no section's (code names it too). */
function packedAt(reader: ByteReader, at: number): Uint8Array | undefined {
  const what = 'firmware section';
  for (const header of [SHORT_HEADER, LONG_HEADER]) {
    const start = at - header;
    if (!reader.has(start, header + LZMA_GUID.length + 4) || reader.u8(start + 3, what) !== GUID_DEFINED) continue;
    const short = reader.u16(start, what) + reader.u8(start + 2, what) * 2 ** 16;
    const isLong = short === LONG_SIZE;
    if (isLong !== (header === LONG_HEADER)) continue;
    const size = isLong ? reader.u32(start + 4, what) : short;
    const data = reader.u16(at + LZMA_GUID.length, what);
    if (data < header + LZMA_GUID.length + 4 || size < data + LZMA_HEADER || !reader.has(start, size)) continue;
    return reader.slice(start + data, size - data, what);
  }
  return undefined;
}
