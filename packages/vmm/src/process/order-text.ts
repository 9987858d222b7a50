import { readFileSync, statSync } from 'node:fs';
import { LaunchOrder } from '@unpin/contract';
import { check } from '@unpin/contract/check';
import { UnpinError } from '@unpin/contract/errors';
import { findVmType } from '@unpin/policy';

/** Longest launch order, in bytes. */
const MAX_ORDER_BYTES = 1024 * 1024;

/** @throws UnpinError FILE_NOT_FOUND, FILE_UNREADABLE, FILE_TOO_LARGE */
export function readOrderFile(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > MAX_ORDER_BYTES) throw tooLarge(path, size);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof UnpinError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UnpinError(missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE', {
      subject: path,
      found: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

/**
 * The order on a stream: its first line, or all of it where the stream ends without one.
 * @throws UnpinError FILE_TOO_LARGE
 */
export async function readOrderStream(stream: NodeJS.ReadableStream): Promise<string> {
  return await new Promise<string>((resolve, reject) => {
    let text = '';
    const done = (act: () => void) => {
      stream.off('data', onData);
      stream.off('end', onEnd);
      stream.off('error', onError);
      stream.pause();
      act();
    };
    const onData = (chunk: Buffer | string) => {
      text += chunk.toString();
      const end = text.indexOf('\n');
      if (end >= 0) done(() => resolve(text.slice(0, end)));
      else if (text.length > MAX_ORDER_BYTES) done(() => reject(tooLarge('standard input', text.length)));
    };
    const onEnd = () => done(() => resolve(text));
    const onError = (cause: Error) => done(() => reject(cause));
    stream.on('data', onData);
    stream.on('end', onEnd);
    stream.on('error', onError);
    stream.resume();
  });
}

/** @throws UnpinError LAUNCH_ORDER_INVALID, VM_TYPE_UNKNOWN */
export function parseOrder(text: string): LaunchOrder {
  const value = json(text);
  const type = isObject(value) ? value['type'] : undefined;
  if (typeof type === 'string' && findVmType(type) === undefined)
    throw new UnpinError('VM_TYPE_UNKNOWN', { subject: `launch order: type '${type}'`, next: 'unpin vm-types' });
  const checked = check(LaunchOrder, value);
  if (checked.ok) return checked.value;
  throw invalid(checked.problem);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function invalid(found: string): UnpinError {
  return new UnpinError('LAUNCH_ORDER_INVALID', { subject: 'launch order', found });
}

function tooLarge(subject: string, bytes: number): UnpinError {
  return new UnpinError('FILE_TOO_LARGE', {
    subject,
    found: `${bytes} bytes`,
    needed: `a launch order of at most ${MAX_ORDER_BYTES} bytes`,
  });
}
