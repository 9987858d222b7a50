import { FormatError } from '../format-error.ts';

/** What went wrong with a request, and whether asking again may help. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly again: boolean;
  /** The least time to wait before asking again, in milliseconds: what the server said. */
  readonly waitAtLeast: number;

  constructor(message: string, again: boolean, waitAtLeast = 0) {
    super(message);
    this.again = again;
    this.waitAtLeast = waitAtLeast;
  }
}

/** A failure as what readers of the source get. */
export function unreadable(name: string, offset: number, detail: string): FormatError {
  return new FormatError('unreadable', name, offset, detail);
}
