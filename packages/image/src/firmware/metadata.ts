import { ByteReader } from '../byte-reader.ts';
import { FormatError } from '../format-error.ts';
import type { GuidEntry } from './guid-table.ts';

/** A part of the guest's first memory that a launch must prepare, or of the file that goes there. */
export interface MetadataSection {
  readonly type: number;
  readonly address: number;
  readonly bytes: number;
}

/** A list of sections that an entry of the GUID table points to. */
export interface Metadata {
  readonly offset: number;
  readonly sections: readonly MetadataSection[];
}

interface Layout {
  readonly signature: string;
  readonly sectionSize: number;
  readonly read: (reader: ByteReader, at: number, what: string) => MetadataSection;
}

/** Signature, size, version, count, then the sections. */
const HEADER = 16;
const VERSION = 1;
/** Real ones have six or seven. */
const MOST_SECTIONS = 64;

/** OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm: sections of address, size, type. */
const SEV: Layout = {
  signature: 'ASEV',
  sectionSize: 12,
  read: (reader, at, what) => ({
    address: reader.u32(at, what),
    bytes: reader.u32(at + 4, what),
    type: reader.u32(at + 8, what),
  }),
};
export const SEV_SECTION = { memory: 1, secrets: 2, cpuid: 3, svsmCaa: 4, kernelHashes: 0x10 } as const;

/** Intel's TDVF metadata: sections of offset and size in the file, address and size in memory, type, attributes. */
const TDX: Layout = {
  signature: 'TDVF',
  sectionSize: 32,
  read: (reader, at, what) => ({
    address: reader.size64(at + 8, what),
    bytes: reader.size64(at + 16, what),
    type: reader.u32(at + 24, what),
  }),
};
export const TDX_SECTION = { bootFirmwareVolume: 0, handOffBlock: 2, temporaryMemory: 3 } as const;

/**
 * The list that an entry points to by its distance from the end of the file.
 * @returns what is wrong with it as text, where it can't be read
 */
export function readMetadata(file: Uint8Array, entry: GuidEntry, kind: 'sev' | 'tdx'): Metadata | string {
  const layout = kind === 'sev' ? SEV : TDX;
  const what = `${layout.signature} metadata`;
  if (!entry.data.has(0, 4)) return `${what}: an entry without a distance`;
  const offset = file.length - entry.data.u32(0, what);
  const reader = new ByteReader(file);
  if (offset < 0 || !reader.has(offset, HEADER)) return `${what}: outside of the file`;
  const signature = Buffer.from(reader.slice(offset, 4, what)).toString('latin1');
  if (signature !== layout.signature) return `${what}: no signature at byte ${offset}`;
  const [version, count] = [reader.u32(offset + 8, what), reader.u32(offset + 12, what)];
  if (version !== VERSION) return `${what}: version ${version}`;
  if (count > MOST_SECTIONS || !reader.has(offset + HEADER, count * layout.sectionSize))
    return `${what}: ${count} sections`;
  try {
    const sections = Array.from({ length: count }, (_, i) =>
      layout.read(reader, offset + HEADER + i * layout.sectionSize, what),
    );
    return { offset, sections };
  } catch (error) {
    // A number that is no address.
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}
