import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';

/** Bytes of the boot sector that are looked at: with larger sectors it is still the first 512. */
export const BOOT_SECTOR = 512;

/** Bytes of a directory entry. */
export const ENTRY_SIZE = 32;

/**
 * Where things lie on a FAT volume, from its BIOS parameter block. Sections are those of Microsoft's "FAT: General
 * Overview of On-Disk Format" 1.03. All places and sizes are in bytes.
 */
export interface FatGeometry {
  readonly kind: 'FAT12' | 'FAT16' | 'FAT32';
  readonly clusterSize: number;
  /** Of the first cluster, whose number is 2. */
  readonly dataStart: number;
  /** The greatest cluster number that has both room in the data area and an entry in the FAT. */
  readonly lastCluster: number;
  /** Of the FAT that is in use. */
  readonly fatStart: number;
  readonly fatBytes: number;
  /** FAT12 and FAT16 have a region of fixed size for the root directory. */
  readonly root: { readonly cluster: number } | { readonly start: number; readonly bytes: number };
  /** Of the whole filesystem. */
  readonly bytes: number;
  /** As `1234-ABCD`; empty on volumes from before serial numbers. */
  readonly uuid: string;
  /** The boot sector's copy of the label; the root directory's entry counts more. */
  readonly label: string;
  /** The flag that Linux sets while it is mounted for writing. */
  readonly dirty: boolean;
}

const JUMP = { short: 0xeb, near: 0xe9 } as const;
const SIGNATURE = 0xaa55;
/** Offset 38 (66 on FAT32): serial number, or that and a label, follow. */
const EXTENDED = { serial: 0x28, label: 0x29 } as const;
/** The section "FAT type determination": fewer clusters than these. Nothing else tells FAT12 from FAT16. */
const FAT12_BELOW = 4085;
const FAT16_BELOW = 65525;
/** FAT32 entries have 28 bits, and the highest values are reserved. */
const MOST_CLUSTERS = 0x0ffffff5;
const NO_LABEL = 'NO NAME';

/** Whether a first sector may be FAT's: for choosing a parser, which then checks the rest. */
export function looksLikeFat(sector: Uint8Array): boolean {
  const reader = new ByteReader(sector);
  return reader.has(0, BOOT_SECTOR) && reasonAgainst(reader) === undefined;
}

/** Whether a first sector is exFAT's: another format, for which FAT's fields are zero. */
export function isExfat(sector: Uint8Array): boolean {
  return Buffer.from(sector.subarray(3, 11)).toString('latin1') === 'EXFAT   ';
}

/** @throws FormatError unsupported exFAT; malformed; truncated */
export function readBootSector(sector: Uint8Array): FatGeometry {
  if (isExfat(sector)) throw new FormatError('unsupported', 'exFAT boot sector', 3, 'exFAT is not implemented');
  const reader = new ByteReader(sector);
  const against = reasonAgainst(reader);
  if (against !== undefined) throw malformed(against.offset, against.detail);

  const sectorSize = reader.u16(11, 'bytes per sector');
  const clusterSize = reader.u8(13, 'sectors per cluster') * sectorSize;
  const fats = reader.u8(16, 'number of FATs');
  const rootEntries = reader.u16(17, 'root entries');
  const sectors = reader.u16(19, 'sectors') || reader.u32(32, 'sectors');
  const fatSectors16 = reader.u16(22, 'sectors per FAT');
  const wide = fatSectors16 === 0;
  const fatSectors = wide ? reader.u32(36, 'sectors per FAT') : fatSectors16;
  if (fatSectors === 0) throw malformed(36, 'a FAT of no sectors');

  const fatBytes = fatSectors * sectorSize;
  const firstFat = reader.u16(14, 'reserved sectors') * sectorSize;
  const rootStart = firstFat + fats * fatBytes;
  // Rounded up to whole sectors, as the specification has it: a writer may have chosen an odd number.
  const rootBytes = Math.ceil((rootEntries * ENTRY_SIZE) / sectorSize) * sectorSize;
  const dataStart = rootStart + rootBytes;
  const bytes = sectors * sectorSize;
  if (dataStart >= bytes) throw malformed(32, `${bytes} bytes in all, but data starts at ${dataStart}`);

  const clusters = Math.floor((bytes - dataStart) / clusterSize);
  const kind = wide ? 'FAT32' : clusters < FAT12_BELOW ? 'FAT12' : 'FAT16';
  if (clusters === 0 || clusters >= (wide ? MOST_CLUSTERS : FAT16_BELOW))
    throw malformed(13, `${clusters} clusters are none of ${kind}`);
  const entries = Math.floor((fatBytes * 8) / { FAT12: 12, FAT16: 16, FAT32: 32 }[kind]);
  const lastCluster = Math.min(clusters + 1, entries - 1);
  if (lastCluster < 2) throw malformed(36, 'a FAT without room for a cluster');

  const extended = wide ? 64 : 36;
  return {
    kind,
    clusterSize,
    dataStart,
    lastCluster,
    fatStart: firstFat + (wide ? activeFat(reader, fats) : 0) * fatBytes,
    fatBytes,
    root: wide ? { cluster: rootCluster(reader, rootEntries) } : { start: rootStart, bytes: fixedRoot(rootEntries) },
    bytes,
    dirty: (reader.u8(extended + 1, 'state') & 1) !== 0,
    ...serialAndLabel(reader, extended),
  };
}

/** What is wrong with the fields that every FAT volume has: "Boot sector and BPB structure". */
function reasonAgainst(reader: ByteReader): { offset: number; detail: string } | undefined {
  const jump = reader.u8(0, 'jump');
  if (jump !== JUMP.short && jump !== JUMP.near) return { offset: 0, detail: 'no jump at its start' };
  if (reader.u16(510, 'signature') !== SIGNATURE) return { offset: 510, detail: 'no signature at its end' };
  const sectorSize = reader.u16(11, 'bytes per sector');
  if (![512, 1024, 2048, 4096].includes(sectorSize)) return { offset: 11, detail: `${sectorSize} bytes a sector` };
  const perCluster = reader.u8(13, 'sectors per cluster');
  if (perCluster === 0 || (perCluster & (perCluster - 1)) !== 0)
    return { offset: 13, detail: `${perCluster} sectors a cluster` };
  if (reader.u16(14, 'reserved sectors') === 0) return { offset: 14, detail: 'no reserved sectors' };
  if (reader.u8(16, 'number of FATs') === 0) return { offset: 16, detail: 'no FAT' };
  const media = reader.u8(21, 'media');
  if (media !== 0xf0 && media < 0xf8) return { offset: 21, detail: `media type ${media}` };
  // Linux and EDK2 take this for the mark of FAT32, and so does mkfs.vfat, which makes small ones too: the count of
  // clusters, which the specification names, would call those FAT16 although nothing of a FAT16 is there.
  const wide = reader.u16(22, 'sectors per FAT') === 0;
  if (!wide && reader.u16(17, 'root entries') === 0) return { offset: 17, detail: 'no root directory' };
  if (wide && reader.u16(42, 'version') !== 0) return { offset: 42, detail: 'a version of FAT32 that nobody defined' };
  return undefined;
}

/** "FAT32 extended flags": which FAT is in use where they are not all kept alike. */
function activeFat(reader: ByteReader, fats: number): number {
  const flags = reader.u16(40, 'FAT32 flags');
  if ((flags & 0x80) === 0) return 0;
  const active = flags & 0xf;
  if (active >= fats) throw malformed(40, `FAT ${active} is in use, of ${fats}`);
  return active;
}

function rootCluster(reader: ByteReader, rootEntries: number): number {
  if (rootEntries !== 0) throw malformed(17, `${rootEntries} root entries on FAT32`);
  return reader.u32(44, 'root cluster');
}

function fixedRoot(entries: number): number {
  return entries * ENTRY_SIZE;
}

function serialAndLabel(reader: ByteReader, extended: number): { uuid: string; label: string } {
  const signature = reader.u8(extended + 2, 'extended boot signature');
  if (signature !== EXTENDED.serial && signature !== EXTENDED.label) return { uuid: '', label: '' };
  const serial = reader
    .u32(extended + 3, 'serial number')
    .toString(16)
    .toUpperCase()
    .padStart(8, '0');
  const uuid = `${serial.slice(0, 4)}-${serial.slice(4)}`;
  if (signature === EXTENDED.serial) return { uuid, label: '' };
  const label = reader.cString(extended + 7, 11, 'volume label').trimEnd();
  return { uuid, label: label === NO_LABEL ? '' : label };
}

function malformed(offset: number, detail: string): FormatError {
  return new FormatError('malformed', 'FAT boot sector', offset, detail);
}
