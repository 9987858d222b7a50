import type { WriteStream } from 'node:tty';
import type { ProveProgress } from '@unpin/vmm';

/** Between two lines where nobody can rewrite one, milliseconds. */
const EVERY_MS = 5_000;
const ERASE = '\r\u001b[K';

export interface ProofProgress {
  readonly show: (progress: ProveProgress) => void;
  /** Leaves nothing of it on a terminal. */
  readonly clear: () => void;
}

/** How far a proof is: one line that changes on a terminal, a line now and then elsewhere. */
export function proofProgress(out: WriteStream): ProofProgress {
  let shownAt = performance.now();
  return {
    show: (progress) => {
      const text = textOf(progress);
      if (out.isTTY) {
        out.write(`${ERASE}${text.slice(0, Math.max(20, out.columns - 1))}`);
        return;
      }
      const now = performance.now();
      if (progress.kind === 'ran' && now - shownAt < EVERY_MS) return;
      shownAt = now;
      out.write(`${text}\n`);
    },
    clear: () => void (out.isTTY && out.write(ERASE)),
  };
}

function textOf(progress: ProveProgress): string {
  switch (progress.kind) {
    case 'ran':
      return `${Math.round(progress.instructions / 1e6).toLocaleString('en')} million instructions  ${progress.lastLine}`;
    case 'search':
      return progress.what;
  }
}
