import { readFileSync } from 'node:fs';
import { UnpinError } from '@unpin/contract/errors';

/** Largest JSON file that a command reads, in bytes: verdicts and image properties are far smaller. */
const MOST = 16 * 1_048_576;

/** The JSON of a file, `-` for standard input. FILE_NOT_FOUND, FILE_UNREADABLE, FILE_TOO_LARGE, USAGE for no JSON. */
export function readJson(path: string): unknown {
  const text = read(path);
  if (text.length > MOST)
    throw new UnpinError('FILE_TOO_LARGE', { subject: path, needed: `at most ${MOST / 1_048_576} MiB` });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnpinError('USAGE', { subject: path, found: (cause as Error).message, needed: 'JSON', cause });
  }
}

function read(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new UnpinError(missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE', {
      subject: path,
      ...(missing ? {} : { found: String(cause) }),
      cause,
    });
  }
}
