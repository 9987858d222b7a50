import type { Budget } from '../source/budget.ts';
import { budgetedSource } from '../source/budgeted-source.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { cachedSource } from '../source/cached-source.ts';
import { windowOf } from '../source/window.ts';

/** A file in two ways: both show the same bytes. */
export interface Layer {
  /** As it is: for reading it once from one end to the other, which is charged to what may be unpacked. */
  readonly plain: ByteSource;
  /** Cached, and charged to the inspection's budget: for reading here and there. */
  readonly view: ByteSource;
}

/** @param cacheBytes what is kept of it in memory */
export function layerOf(medium: ByteSource, budget: Budget, cacheBytes: number): Layer {
  return { plain: medium, view: cachedSource(budgetedSource(medium, budget), { cacheBytes }) };
}

/** A stretch of it. @throws FormatError truncated */
export function partOf(layer: Layer, name: string, start: number, size: number): Layer {
  return { plain: windowOf(layer.plain, name, start, size), view: windowOf(layer.view, name, start, size) };
}
