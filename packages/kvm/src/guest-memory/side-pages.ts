import type { View } from '../port/index.ts';
import type { PageRun } from './buddy.ts';

/** The bytes behind both views of guest RAM. Nothing here allocates but `poke`. Pages and addresses carry no C bit. */
export interface SidePages {
  /** Bytes inside one page; zeros where nothing is allocated. */
  peek(view: View, gpa: number, length: number): Uint8Array;
  /** Writes bytes inside one page. */
  poke(view: View, gpa: number, bytes: Uint8Array): void;
  isZero(view: View, page: number): boolean;
  /** The allocated parts of [start, end), ascending. Costs what is allocated, not what is asked for. */
  resident(view: View, start: number, end: number): Iterable<PageRun>;
  /** Gives pages back to the host; they read as zeros. Answers the bytes given back. */
  discard(view: View, start: number, end: number): number;
}

/**
 * Which view of a page is mapped. `none` traps every access, byte by byte, while both views hold live bytes; `both`
 * sees nothing: only for pages whose budget is used up, and for a moment ahead of a guest that walks through memory.
 */
export type Mapping = View | 'none' | 'both';

export function otherView(view: View): View {
  return view === 'private' ? 'shared' : 'private';
}
