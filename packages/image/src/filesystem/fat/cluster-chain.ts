import { FormatError } from '../../format-error.ts';
import type { Extent } from '../extent-source.ts';
import type { FatGeometry } from './boot-sector.ts';
import { END_OF_CHAIN, type FileAllocationTable } from './file-allocation-table.ts';

/** Clusters that follow each other on the volume. */
interface Run {
  /** How many clusters of the chain come before. */
  readonly before: number;
  readonly first: number;
  count: number;
}

/** The clusters of a file or directory, followed only as far as somebody asked. */
export class ClusterChain {
  readonly #fat: FileAllocationTable;
  readonly #geometry: FatGeometry;
  readonly #runs: Run[];
  /** First clusters of runs: a chain that comes back to itself enters a known run, and follows it to the next one. */
  readonly #starts: Set<number>;
  #covered = 1;
  #ended = false;
  /** One walk at a time; the next goes on where it stopped. */
  #walk: Promise<void> = Promise.resolve();

  /** @throws FormatError malformed where `first` is no cluster */
  constructor(fat: FileAllocationTable, geometry: FatGeometry, first: number, what: string) {
    if (first < 2 || first > geometry.lastCluster)
      throw new FormatError('malformed', what, 0, `it starts at cluster ${first}`);
    this.#fat = fat;
    this.#geometry = geometry;
    this.#runs = [{ before: 0, first, count: 1 }];
    this.#starts = new Set([first]);
  }

  /**
   * The extents that hold bytes `offset` to `offset + length`, as far as the chain reaches.
   * @throws FormatError cycle, malformed, over-budget
   */
  async extents(offset: number, length: number): Promise<Extent[]> {
    const { clusterSize, dataStart } = this.#geometry;
    await this.#cover(Math.ceil((offset + length) / clusterSize));
    const extents: Extent[] = [];
    for (let index = this.#runIndex(Math.floor(offset / clusterSize)); index < this.#runs.length; index++) {
      const run = this.#runs[index];
      if (run === undefined || run.before * clusterSize >= offset + length) break;
      extents.push({
        at: run.before * clusterSize,
        length: run.count * clusterSize,
        start: dataStart + (run.first - 2) * clusterSize,
      });
    }
    return extents;
  }

  async #cover(clusters: number): Promise<void> {
    // What an earlier walk found wrong is found again by the one that needs to pass there.
    this.#walk = this.#walk.catch(() => undefined).then(() => this.#follow(clusters));
    await this.#walk;
  }

  async #follow(clusters: number): Promise<void> {
    while (this.#covered < clusters && !this.#ended) {
      const run = this.#runs[this.#runs.length - 1] as Run;
      const tail = run.first + run.count - 1;
      const next = this.#fat.next(tail);
      if (next === undefined) {
        await this.#fat.load(tail);
        continue;
      }
      if (next === END_OF_CHAIN) {
        this.#ended = true;
        return;
      }
      if (next === tail + 1) run.count++;
      else {
        if (this.#starts.has(next) || this.#covered > this.#geometry.lastCluster)
          throw new FormatError('cycle', 'FAT chain', this.#geometry.fatStart, `cluster ${next} comes a second time`);
        this.#starts.add(next);
        this.#runs.push({ before: this.#covered, first: next, count: 1 });
      }
      this.#covered++;
    }
  }

  /** The last run that begins at or before a cluster of the chain. */
  #runIndex(cluster: number): number {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#runs[middle] as Run).before <= cluster) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
