import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import type { FatGeometry } from './boot-sector.ts';

/** Bytes of the FAT that are read at once: the entries of 1,000 FAT32 clusters. */
const PIECE = 4096;
/** Pieces that are kept: chains of fragmented files come back to them. 256 KiB. */
const KEPT = 64;
/** Bits of an entry. */
const WIDTH = { FAT12: 12, FAT16: 16, FAT32: 32 } as const;
/** "FAT data structure": of 32 bits the highest four mean nothing. */
const VALUE = { FAT12: 0xfff, FAT16: 0xffff, FAT32: 0x0fffffff } as const;
/** "Volume dirty bit" in the entry of cluster 1: cleared while a system writes. FAT12 has none. */
const CLOSED = { FAT12: 0, FAT16: 0x8000, FAT32: 0x08000000 } as const;

export const END_OF_CHAIN = -1;

/** The file allocation table: for each cluster the one that follows it. Read in pieces as chains lead to them. */
export class FileAllocationTable {
  readonly #source: ByteSource;
  readonly #geometry: FatGeometry;
  readonly #budget: Budget;
  readonly #pieces = new Map<number, Uint8Array>();

  constructor(source: ByteSource, geometry: FatGeometry, budget: Budget) {
    this.#source = source;
    this.#geometry = geometry;
    this.#budget = budget;
  }

  /**
   * The cluster after `cluster`, or END_OF_CHAIN; undefined where `load` must come first, so that who follows a chain
   * waits once a piece and not once a cluster.
   * @throws FormatError malformed where a chain leads to a free, bad or unknown cluster; over-budget
   */
  next(cluster: number): number | undefined {
    const { kind, fatStart, lastCluster } = this.#geometry;
    this.#budget.takeSteps(1, 'FAT', fatStart);
    const value = this.#value(cluster);
    if (value === undefined) return undefined;
    if (value >= VALUE[kind] - 7) return END_OF_CHAIN;
    if (value < 2 || value > lastCluster)
      throw new FormatError('malformed', 'FAT', fatStart, `cluster ${value} follows ${cluster}`);
    return value;
  }

  /** Reads what `next` needs for a cluster. @throws FormatError truncated */
  async load(cluster: number): Promise<void> {
    const offset = this.#offset(cluster);
    await this.#loadPiece(offset - (offset % PIECE));
    // An entry of FAT12 may lie in two pieces.
    if (offset % PIECE === PIECE - 1) await this.#loadPiece(offset + 1);
  }

  /** Whether the volume was closed in order after it was last written. @throws FormatError */
  async wasClosed(): Promise<boolean> {
    const mask = CLOSED[this.#geometry.kind];
    if (mask === 0) return true;
    await this.load(1);
    return ((this.#value(1) ?? 0) & mask) !== 0;
  }

  #value(cluster: number): number | undefined {
    const { kind } = this.#geometry;
    const offset = this.#offset(cluster);
    const within = offset % PIECE;
    const piece = this.#pieces.get(offset - within);
    if (piece === undefined) return undefined;
    const low = piece[within] ?? 0;
    const high = within + 1 < PIECE ? piece[within + 1] : this.#pieces.get(offset + 1)?.[0];
    if (high === undefined) return undefined;
    const pair = low | (high << 8);
    switch (kind) {
      case 'FAT12':
        return (cluster & 1) === 0 ? pair & VALUE.FAT12 : pair >>> 4;
      case 'FAT16':
        return pair;
      case 'FAT32':
        return (pair | ((piece[within + 2] ?? 0) << 16) | ((piece[within + 3] ?? 0) << 24)) & VALUE.FAT32;
    }
  }

  /** Of a cluster's entry, in bytes from the FAT's start. The geometry's greatest cluster has all of it in the FAT. */
  #offset(cluster: number): number {
    return Math.floor((cluster * WIDTH[this.#geometry.kind]) / 8);
  }

  async #loadPiece(offset: number): Promise<void> {
    const { fatStart, fatBytes } = this.#geometry;
    if (this.#pieces.has(offset)) return;
    const length = Math.min(PIECE, fatBytes - offset);
    const piece = await this.#source.read(fatStart + offset, length);
    const [oldest] = this.#pieces.keys();
    if (this.#pieces.size >= KEPT && oldest !== undefined) this.#pieces.delete(oldest);
    this.#pieces.set(offset, piece);
  }
}
