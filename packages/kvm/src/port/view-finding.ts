import type { View } from './guest-memory.ts';

/**
 * What a guest does with its two views of a page that SEV hardware lets pass in silence: it uses another view than the
 * page's attribute says, or reads through one view what was not written through it. A page is looked at when it changes
 * views, so that repeated accesses through one view are one finding.
 */
export interface ViewFinding {
  /** Without the C bit; of the page alone where the processor itself walks page tables. */
  readonly gpa: number;
  readonly view: View;
  readonly isWrite: boolean;
  readonly attribute: View;
  /**
   * What a read gets: bytes of the page that were last written through the other view, or a new page instead of the one
   * written through this view, which a conversion gave back. Known by the page, not by the byte.
   */
  readonly consumes: 'nothing' | 'other-view' | 'discarded';
}
