import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { windowOf } from '../../source/window.ts';
import { parseTarHeader, TAR_BLOCK, text } from './header.ts';
import { MOST_PAX_BYTES, type PaxRecords, parsePaxRecords, paxNumber } from './pax-records.ts';
import { parsePaxMapRecord, readOldSparseMap, readPaxSparseMap, type SparseMap } from './sparse-map.ts';

/** What an archive holds under a name. */
export interface TarMember {
  /** Without `./` or `/` at its start and end. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'symlink' | 'hardlink' | 'other';
  /** As written; empty for files. */
  readonly linkName: string;
  /** Where its content lies in the archive, and how long it is there, in bytes. */
  readonly start: number;
  readonly stored: number;
  /** Undefined where all its bytes are stored. */
  readonly sparse: SparseMap | undefined;
}

const KINDS: Readonly<Record<string, TarMember['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  '5': 'folder',
  '2': 'symlink',
  '1': 'hardlink',
};
/** Kinds that have no content, whatever size their header tells: links, devices, folders, FIFOs. */
const WITHOUT_CONTENT = /^[1-6]$/;
/** GNU's long names: as long as a path may be on Linux, with its NUL. */
const MOST_NAME_BYTES = 4096;
const NO_RECORDS: PaxRecords = { values: new Map(), sparsePairs: [] };

/**
 * The members of a tar archive, in its order: ustar, pax, GNU's long names and sparse files. Only headers are read.
 * Charged header by header.
 */
export async function* readTar(archive: ByteSource, budget: Budget): AsyncGenerator<TarMember, void, undefined> {
  let global = NO_RECORDS;
  let local = NO_RECORDS;
  let longName: string | undefined;
  let longLink: string | undefined;
  for (let at = 0; at < archive.size; ) {
    budget.takeSteps(1, 'tar header', at);
    const block = await archive.read(at, TAR_BLOCK);
    // Two such blocks are the end; one alone is taken for it too, as all tars do.
    if (block.every((byte) => byte === 0)) return;
    const header = parseTarHeader(block, at);
    const start = at + TAR_BLOCK;
    const { type } = header;
    if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
      const limit = type === 'x' || type === 'g' ? MOST_PAX_BYTES : MOST_NAME_BYTES;
      if (header.size > limit)
        throw new FormatError('over-budget', 'tar header', at, `${header.size} bytes of names, at most ${limit}`);
      const content = await archive.read(start, header.size);
      if (type === 'L') longName = text(content, 0, content.length);
      else if (type === 'K') longLink = text(content, 0, content.length);
      else if (type === 'x') local = parsePaxRecords(content, start);
      else global = parsePaxRecords(content, start);
      at = after(start, header.size);
      continue;
    }
    const value = (key: string): string | undefined => local.values.get(key) ?? global.values.get(key);
    const size = value('size') === undefined ? header.size : paxNumber(value('size') ?? '', at);
    const stored = WITHOUT_CONTENT.test(type) ? 0 : size;
    const { map, mapBlocks } = await sparseMapOf(type, block, { at, start, stored }, local, archive, budget);
    const content = start + mapBlocks;
    if (content + stored > archive.size)
      throw new FormatError('truncated', 'tar member', at, `${stored} bytes announced, the archive ends before`);
    yield {
      name: plainName(value('GNU.sparse.name') ?? value('path') ?? longName ?? header.name),
      kind: KINDS[type] ?? 'other',
      linkName: value('linkpath') ?? longLink ?? header.linkName,
      start: content,
      stored,
      sparse: map,
    };
    local = NO_RECORDS;
    longName = undefined;
    longLink = undefined;
    at = after(content, stored);
  }
}

/** @returns the map, and the size of the blocks between header and content that the member's size doesn't count */
async function sparseMapOf(
  type: string,
  block: Uint8Array,
  place: { readonly at: number; readonly start: number; readonly stored: number },
  records: PaxRecords,
  archive: ByteSource,
  budget: Budget,
): Promise<{ map: SparseMap | undefined; mapBlocks: number }> {
  const { at, start, stored } = place;
  if (type === 'S') {
    const map = await readOldSparseMap(block, at, archive, budget);
    return { map: { ...map, dataStart: 0 }, mapBlocks: map.dataStart };
  }
  const { values, sparsePairs } = records;
  const size = values.get('GNU.sparse.realsize') ?? values.get('GNU.sparse.size');
  if (size === undefined) return { map: undefined, mapBlocks: 0 };
  const realSize = paxNumber(size, at);
  const record = values.get('GNU.sparse.map');
  if (values.get('GNU.sparse.major') === '1')
    return {
      map: await readPaxSparseMap(windowOf(archive, 'tar sparse map', start, stored), realSize, budget),
      mapBlocks: 0,
    };
  if (record !== undefined) return { map: parsePaxMapRecord(record, realSize, at), mapBlocks: 0 };
  return { map: { realSize, pairs: sparsePairs, dataStart: 0 }, mapBlocks: 0 };
}

function after(start: number, size: number): number {
  return start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

function plainName(name: string): string {
  const parts = name.split('/').filter((part, index) => part !== '' && (part !== '.' || index > 0));
  return parts.join('/');
}
