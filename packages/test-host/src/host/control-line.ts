/** What the test host says on its control port: one line each, a word and its argument. */

export type ControlLine =
  | { readonly kind: 'kernel-up'; readonly release: string }
  | { readonly kind: 'kvm-loaded'; readonly nestedPaging: boolean }
  | { readonly kind: 'running' }
  | { readonly kind: 'alive' }
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly text: string };

/** Total: a line that no script of ours writes is `unknown`. Exit codes are 0–255. */
export function parseControlLine(line: string): ControlLine {
  const space = line.indexOf(' ');
  const word = space < 0 ? line : line.slice(0, space);
  const rest = space < 0 ? '' : line.slice(space + 1).trim();
  switch (word.trim()) {
    case 'kernel-up':
      return { kind: 'kernel-up', release: rest };
    case 'kvm-loaded':
      return { kind: 'kvm-loaded', nestedPaging: rest === 'npt=Y' };
    case 'running':
      return { kind: 'running' };
    case 'alive':
      return { kind: 'alive' };
    case 'exit':
      return /^\d{1,3}$/.test(rest) && Number(rest) < 256
        ? { kind: 'exit', code: Number(rest) }
        : { kind: 'unknown', text: line };
    case 'failed':
      return { kind: 'failed', reason: rest };
    default:
      return { kind: 'unknown', text: line };
  }
}
