/**
 * Probation: a guest starts unpinned and has to show that it reports. A correct kernel reports before it asks the host
 * to use a page for the first time; one that doesn't is stopped there, before any I/O is done.
 * waiting ── first host use of a page it shared ──▶ passed
 * waiting ── first host use of a page still private ──▶ failed
 */
export type Probation =
  | { readonly state: 'waiting'; readonly reported: number }
  | { readonly state: 'passed'; readonly reported: number; readonly use: string }
  | { readonly state: 'failed'; readonly reported: number; readonly use: string; readonly gpa: number };

export type ProbationEvent =
  | { readonly kind: 'reported' }
  | { readonly kind: 'host-use'; readonly use: string; readonly gpa: number; readonly attribute: 'private' | 'shared' };

export const ON_PROBATION: Probation = { state: 'waiting', reported: 0 };

/** Pure. What was found is final. */
export function probationAfter(probation: Probation, event: ProbationEvent): Probation {
  if (probation.state !== 'waiting') return probation;
  const { reported } = probation;
  if (event.kind === 'reported') return { state: 'waiting', reported: reported + 1 };
  if (event.attribute === 'shared') return { state: 'passed', reported, use: event.use };
  return { state: 'failed', reported, use: event.use, gpa: event.gpa };
}

/** For the report and the events. */
export function probationText(probation: Probation, fallback: string): string {
  const { reported } = probation;
  const reports = `${reported} ${reported === 1 ? 'conversion' : 'conversions'}`;
  switch (probation.state) {
    case 'waiting':
      return `undecided: the guest asked the host to use no page; it reported ${reports}`;
    case 'passed':
      return `passed: the guest reported ${reports} before the host was first asked to use a page (${probation.use})`;
    case 'failed': {
      const how = reported === 0 ? 'without any report' : `after ${reports}, none of them for that page`;
      return `failed: the host was asked to use page 0x${probation.gpa.toString(16)} (${probation.use}) ${how}; stopped before any I/O and started again pinned, as ${fallback}`;
    }
  }
}
