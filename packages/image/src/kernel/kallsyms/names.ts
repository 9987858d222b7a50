import { ByteReader } from '../../byte-reader.ts';
import type { TokenTable } from './token-table.ts';

/** One marker for every so many names: the marker's value is where that name begins. */
const NAMES_PER_MARKER = 256;
/** Between two markers lie 256 names; on average they have from 2 to 200 bytes. */
const LEAST_STEP = NAMES_PER_MARKER * 2;
const LARGEST_STEP = NAMES_PER_MARKER * 200;
/** kallsyms_names and what may stand between it and the token table are below this for any kernel. */
const SEARCH = 32 * 2 ** 20;
const LEAST_SYMBOLS = 1000;
/** A real kernel's tables are found at the first or second try; these bound the time that a hostile image takes. */
const MOST_MARKERS = 16;
const MOST_WALKS = 16;
/** Words after the markers that look like more of them. */
const MOST_STRAY = 64;

export interface SymbolNames {
  readonly count: number;
  /** Where kallsyms_num_syms lies in the segment's bytes. */
  readonly countOffset: number;
  /** Where each name's bytes begin in the segment, after its length. */
  readonly starts: Uint32Array;
  /** How many tokens each name has. */
  readonly lengths: Uint16Array;
}

/**
 * Finds kallsyms_num_syms, kallsyms_names and kallsyms_markers before a token table. All kernels have them in this
 * order; from 6.2 on, kallsyms_seqs_of_names may stand between the markers and the token table.
 */
export function findNames(segment: Uint8Array, table: TokenTable): SymbolNames | undefined {
  const reader = new ByteReader(segment);
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const lowest = Math.max(0, table.start - SEARCH);
  let tries = 0;
  for (let markers = (table.start - 12) & ~3; markers >= lowest; markers -= 4) {
    if (!looksLikeMarkers(view, markers)) continue;
    const names = namesBefore(reader, markers, table.start);
    if (names !== undefined) return names;
    if (++tries === MOST_MARKERS) return undefined;
  }
  return undefined;
}

/** Three markers that begin with 0 and rise by plausible steps; cheap, and refuses nearly everything. */
function looksLikeMarkers(view: DataView, at: number): boolean {
  if (view.getUint32(at, true) !== 0) return false;
  const first = view.getUint32(at + 4, true);
  return isStep(first) && isStep(view.getUint32(at + 8, true) - first);
}

function isStep(bytes: number): boolean {
  return bytes >= LEAST_STEP && bytes <= LARGEST_STEP;
}

function namesBefore(reader: ByteReader, markersOffset: number, end: number): SymbolNames | undefined {
  const markers = [0];
  for (let at = markersOffset + 4; at + 4 <= end; at += 4) {
    const marker = reader.u32(at, 'marker');
    if (!isStep(marker - (markers.at(-1) ?? 0))) break;
    markers.push(marker);
  }
  let walks = 0;
  // What follows the markers may look like a few more: the count of symbols says how many there really are.
  for (let used = markers.length; used > Math.max(0, markers.length - MOST_STRAY); used--) {
    // The names that the last marker begins end right before the markers: nearly all kernels have few of them.
    const lastNames = markersOffset - (markers[used - 1] ?? 0);
    for (let start = lastNames & ~3; start >= Math.max(8, lastNames - LARGEST_STEP); start -= 4) {
      for (const gap of [4, 8]) {
        const count = reader.u32(start - gap, 'kallsyms_num_syms');
        if (count < LEAST_SYMBOLS || Math.ceil(count / NAMES_PER_MARKER) !== used) continue;
        const names = walk(reader.bytes, start, markersOffset, count, markers);
        if (names !== undefined) return { ...names, countOffset: start - gap };
        if (++walks === MOST_WALKS) return undefined;
      }
    }
  }
  return undefined;
}

/** Walks all names; they must pass through every marker and end right before the markers, alignment aside. */
function walk(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  markers: readonly number[],
): Omit<SymbolNames, 'countOffset'> | undefined {
  const starts = new Uint32Array(count);
  const lengths = new Uint16Array(count);
  let at = start;
  for (let i = 0; i < count; i++) {
    if (i % NAMES_PER_MARKER === 0 && at - start !== markers[i / NAMES_PER_MARKER]) return undefined;
    if (at + 2 > end) return undefined;
    let length = bytes[at++] as number;
    // Since 6.1 a length above 127 takes two bytes, low seven bits first.
    if (length & 0x80) length = (length & 0x7f) | ((bytes[at++] as number) << 7);
    if (length === 0) return undefined;
    starts[i] = at;
    lengths[i] = length;
    at += length;
  }
  return at <= end && end - at < 8 ? { count, starts, lengths } : undefined;
}
