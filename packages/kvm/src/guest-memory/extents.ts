/** A run of pages with one value: [start, end). */
export interface Extent<V> {
  readonly start: number;
  readonly end: number;
  readonly value: V;
}

/**
 * Page numbers → value, kept as sorted runs: a terabyte of one value costs what a page costs. Reading is O(log n),
 * setting a range O(log n + runs changed) beside moving the tail of two flat arrays.
 */
export class Extents<V extends string | null> {
  /** starts[i] is the first page of run i, which reaches to starts[i + 1] (the last one to the end of time). */
  readonly #starts: number[] = [0];
  readonly #values: V[];

  constructor(initial: V) {
    this.#values = [initial];
  }

  /** How many runs there are. */
  get size(): number {
    return this.#starts.length;
  }

  at(page: number): V {
    return this.#valueOf(this.#runOf(page));
  }

  /** The run around a page. */
  runAt(page: number): Extent<V> {
    return this.#extent(this.#runOf(page));
  }

  /** The runs of [start, end), clipped to it, in ascending order. */
  runs(start: number, end: number): Extent<V>[] {
    const found: Extent<V>[] = [];
    if (start >= end) return found;
    for (let run = this.#runOf(start); run < this.#starts.length; run++) {
      const extent = this.#extent(run);
      if (extent.start >= end) break;
      found.push({ start: Math.max(start, extent.start), end: Math.min(end, extent.end), value: extent.value });
    }
    return found;
  }

  /** Sets [start, end) and answers what changed: the runs that had another value, with that value. */
  set(start: number, end: number, value: V): Extent<V>[] {
    const changed = this.runs(start, end).filter((run) => run.value !== value);
    if (changed.length > 0) this.#splice(start, end, value);
    return changed;
  }

  #splice(start: number, end: number, value: V): void {
    const first = this.#runOf(start);
    const last = this.#runOf(end - 1);
    const { start: firstStart, value: before } = this.#extent(first);
    const { end: lastEnd, value: after } = this.#extent(last);
    const starts: number[] = [];
    const values: V[] = [];
    const put = (at: number, is: V): void => {
      if (values.at(-1) === is) return;
      starts.push(at);
      values.push(is);
    };
    // One neighbour on either side takes part, so that equal runs grow together.
    const from = first > 0 ? first - 1 : first;
    if (first > 0) put(this.#startOf(from), this.#valueOf(from));
    if (firstStart < start) put(firstStart, before);
    put(start, value);
    if (lastEnd > end) put(end, after);
    const next = last + 1;
    const hasNext = next < this.#starts.length;
    if (hasNext) put(lastEnd, this.#valueOf(next));
    const replaced = last - from + 1 + (hasNext ? 1 : 0);
    this.#starts.splice(from, replaced, ...starts);
    this.#values.splice(from, replaced, ...values);
  }

  /** Index of the run that holds a page. */
  #runOf(page: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#startOf(middle) <= page) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #extent(run: number): Extent<V> {
    return {
      start: this.#startOf(run),
      end: this.#starts[run + 1] ?? Number.POSITIVE_INFINITY,
      value: this.#valueOf(run),
    };
  }

  #startOf(run: number): number {
    return this.#starts[run] ?? 0;
  }

  #valueOf(run: number): V {
    // A run index from #runOf always has a value.
    return this.#values[run] as V;
  }
}

/** Pages of all runs together. */
export function pagesOf(extents: readonly Extent<string | null>[]): number {
  let pages = 0;
  for (const { start, end } of extents) pages += end - start;
  return pages;
}
