import { FormatError } from '../../format-error.ts';

/** Headers, and the steps that content is padded to, in bytes. */
export const TAR_BLOCK = 512;

/** A header block as it is written (POSIX.1-2017 pax, `ustar`; GNU tar's manual, "Basic Tar Format"). */
export interface TarHeader {
  /** With its prefix. */
  readonly name: string;
  /** Of what follows the header, in bytes. */
  readonly size: number;
  /** One character: `0` a file, `5` a folder, `x` pax records, `L` a long name, `S` a sparse file… */
  readonly type: string;
  readonly linkName: string;
}

const CHECKSUM = { at: 148, size: 8 } as const;

/** Whether a block is a header: its magic and its checksum say so. Archives from before `ustar` are not recognised. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < TAR_BLOCK || text(block, 257, 5) !== 'ustar') return false;
  const written = octal(block, CHECKSUM.at, CHECKSUM.size);
  return written !== undefined && sums(block).includes(written);
}

/** @param at where the block lies in the archive. @throws FormatError malformed */
export function parseTarHeader(block: Uint8Array, at: number): TarHeader {
  if (!isTarHeader(block)) throw new FormatError('malformed', 'tar header', at, 'no header, or its checksum is wrong');
  // GNU's own kinds have other fields where POSIX has the prefix.
  const posix = text(block, 257, 8) === 'ustar\u000000';
  const prefix = posix ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: tarNumber(block, 124, 12, at),
    type: String.fromCharCode(block[156] ?? 0),
    linkName: text(block, 157, 100),
  };
}

/**
 * A number of a header: octal digits, or GNU's binary form, whose first bit is set.
 * @throws FormatError malformed where it is neither, negative, or above 2^53
 */
export function tarNumber(block: Uint8Array, offset: number, size: number, at: number): number {
  const first = block[offset] ?? 0;
  if (first < 0x80) {
    const value = octal(block, offset, size);
    if (value === undefined)
      throw new FormatError('malformed', 'tar header', at + offset, 'no number where one belongs');
    return value;
  }
  let value = first & 0x7f;
  for (let i = 1; i < size; i++) value = value * 256 + (block[offset + i] ?? 0);
  if (!Number.isSafeInteger(value))
    throw new FormatError('malformed', 'tar header', at + offset, 'a number that is no size');
  return value;
}

/** Text up to a NUL. Names are UTF-8 today; what isn't becomes replacement characters. */
export function text(block: Uint8Array, offset: number, size: number): string {
  const field = block.subarray(offset, offset + size);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('utf8');
}

/** Octal digits between spaces and NULs; an empty field is 0. */
function octal(block: Uint8Array, offset: number, size: number): number | undefined {
  const digits = text(block, offset, size).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(`0${digits}`, 8) : undefined;
}

/** The sum of all bytes, the checksum's own as spaces; old archives summed them as signed. */
function sums(block: Uint8Array): readonly number[] {
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < TAR_BLOCK; i++) {
    const inside = i >= CHECKSUM.at && i < CHECKSUM.at + CHECKSUM.size;
    const byte = inside ? 0x20 : (block[i] ?? 0);
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 256;
  }
  return [unsigned, signed];
}
