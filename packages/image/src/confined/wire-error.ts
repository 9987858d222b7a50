import { FormatError } from '../format-error.ts';
import type { WireFormatError } from './protocol.ts';

/** A parser's error as it travels between the two processes. What is no FormatError failed as a medium does. */
export function toWire(error: unknown, what: string, offset: number): WireFormatError {
  if (!(error instanceof FormatError)) {
    const detail = error instanceof Error ? error.message : String(error);
    return { kind: 'unreadable', what, offset, detail };
  }
  const prefix = `${error.what} at byte ${error.offset}: `;
  const { message } = error;
  const detail = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  return { kind: error.kind, what: error.what, offset: error.offset, detail };
}

export function fromWire({ kind, what, offset, detail }: WireFormatError): FormatError {
  return new FormatError(kind, what, offset, detail);
}
