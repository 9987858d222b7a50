import type { FetchProgress } from '@unpin/test-host';

/** One step of a fetch, for people. */
export function fetchProgressText(step: FetchProgress): string {
  switch (step.stage) {
    case 'waiting for another fetch':
      return step.stage;
    case 'reading indexes':
      return `reading Debian's package lists (${step.group})`;
    case 'present':
    case 'downloading':
    case 'unpacking':
    case 'done':
      return `${step.asset} ${step.version}: ${step.stage}`;
  }
}
