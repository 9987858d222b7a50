import { CATALOGUE, type ErrorCode, isErrorCode } from './catalogue.ts';
import type { ErrorBody } from './error-body.ts';

export interface ErrorParts {
  /** What it is about: a file, a VM, an option. */
  readonly subject: string;
  readonly found?: string;
  readonly needed?: string;
  /** The next command to run, or the next thing to do. */
  readonly next?: string;
  readonly detail?: unknown;
  readonly cause?: unknown;
}

/** The one error class that people and programs meet. */
export class UnpinError extends Error {
  override readonly name = 'UnpinError';
  readonly code: ErrorCode;
  readonly parts: ErrorParts;

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(sentence(code, parts), { cause: parts.cause });
    this.code = code;
    this.parts = parts;
  }

  get httpStatus(): number {
    return CATALOGUE[this.code].http;
  }

  get exitCode(): number {
    return CATALOGUE[this.code].exit;
  }

  toBody(): ErrorBody {
    const { subject, found, needed, next, detail } = this.parts;
    return {
      code: this.code,
      message: this.message,
      subject,
      ...(found === undefined ? {} : { found }),
      ...(needed === undefined ? {} : { needed }),
      ...(next === undefined ? {} : { next }),
      ...(detail === undefined ? {} : { detail }),
    };
  }

  /** The error that a peer sent. A code of a newer peer becomes INTERNAL and keeps its words. */
  static fromBody(body: ErrorBody): UnpinError {
    const { code, subject, found, needed, next, detail } = body;
    const known = isErrorCode(code);
    return new UnpinError(known ? code : 'INTERNAL', {
      subject: known ? subject : `${subject} (${code}: ${body.message})`,
      ...(found === undefined ? {} : { found }),
      ...(needed === undefined ? {} : { needed }),
      ...(next === undefined ? {} : { next }),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  /** Anything thrown, as an UnpinError: what isn't one already is a defect. */
  static from(thrown: unknown): UnpinError {
    if (thrown instanceof UnpinError) return thrown;
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    return new UnpinError('INTERNAL', { subject: text, cause: thrown, next: 'report it with `unpin doctor --json`' });
  }
}

function sentence(code: ErrorCode, parts: ErrorParts): string {
  const middle = [
    parts.found === undefined ? undefined : `found ${parts.found}`,
    parts.needed === undefined ? undefined : `needed ${parts.needed}`,
  ].filter((part) => part !== undefined);
  const tail = middle.length === 0 ? '' : ` (${middle.join(', ')})`;
  return `${parts.subject}: ${CATALOGUE[code].means}${tail}`;
}
