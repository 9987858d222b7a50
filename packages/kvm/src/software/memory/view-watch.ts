import { PAGE_BYTES } from '../../port/guest-memory.ts';
import type { ViewFinding } from '../../port/view-finding.ts';
import { PageTable } from './page-table.ts';
import { FRAME_SHIFT, type PhysicalMemory, WRITER_NONE, writerOf } from './physical-memory.ts';
import { RAW } from './views.ts';

/** One access to a guest page that has two views. */
export interface WatchedAccess {
  readonly gfn: number;
  /** The page's frame by its attribute; 0 where it has none yet. */
  readonly address: number;
  /** The ASID of an access through the private view, RAW of one through the shared. */
  readonly view: number;
  readonly isWrite: boolean;
  readonly isPrivate: boolean;
}

/**
 * Sees what an SEV guest with a guest_memfd does through its two views. A frame's bytes are in one view at a time, so a
 * guest that changes views is seen, at no cost to one that doesn't. Who wrote a frame last is known by the page: a page
 * that both views have written counts as the last one's.
 */
export class ViewWatch {
  readonly #memory: PhysicalMemory;
  /** Pages whose frame a conversion gave back, by the view that it had been written through (as WRITER_* << 12). */
  readonly #discarded = new PageTable();
  #found: ViewFinding[] = [];

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
  }

  /** Whether something waits to be told. */
  get hasFindings(): boolean {
    return this.#found.length > 0;
  }

  take(): readonly ViewFinding[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  tell(finding: ViewFinding): void {
    this.#found.push(finding);
  }

  /** What an access is before it is made; null for those that any guest makes. */
  look({ gfn, address, view, isWrite, isPrivate }: WatchedAccess): ViewFinding | null {
    const frame = address >>> FRAME_SHIFT;
    if (address !== 0 && this.#memory.tags[frame] === view) return null;
    const encrypted = view !== RAW;
    const writer = address === 0 ? WRITER_NONE : (this.#memory.writers[frame] ?? WRITER_NONE);
    const consumes = isWrite ? 'nothing' : this.#consumed(gfn, writer, writerOf(encrypted));
    if (encrypted === isPrivate && consumes === 'nothing') return null;
    return {
      gpa: gfn * PAGE_BYTES,
      view: encrypted ? 'private' : 'shared',
      isWrite,
      attribute: isPrivate ? 'private' : 'shared',
      consumes,
    };
  }

  /** The access is made. Answers whether later writes through its view need not be told. */
  pass({ gfn, address, view, isWrite }: WatchedAccess): boolean {
    const { writers } = this.#memory;
    const frame = address >>> FRAME_SHIFT;
    const writer = writerOf(view !== RAW);
    if (!isWrite) return writers[frame] === writer;
    writers[frame] = writer;
    this.#discarded.delete(gfn);
    return true;
  }

  /** A conversion is about to give a page's frame back; `wasPrivate` by its attribute until now. */
  converted(gfn: number, address: number, wasPrivate: boolean): void {
    const writer = writerOf(wasPrivate);
    // What was written through the view that the page gets is not what the guest gave away.
    if (this.#memory.writers[address >>> FRAME_SHIFT] === writer) this.#discarded.set(gfn, writer << FRAME_SHIFT);
  }

  /** Pages [start, end) have another attribute: what they lost before is settled. */
  forget(start: number, end: number): void {
    this.#discarded.forEach(start, end, (gfn) => this.#discarded.delete(gfn));
  }

  #consumed(gfn: number, writer: number, reader: number): ViewFinding['consumes'] {
    if (writer !== WRITER_NONE) return writer === reader ? 'nothing' : 'other-view';
    return this.#discarded.get(gfn) === reader << FRAME_SHIFT ? 'discarded' : 'nothing';
  }
}
