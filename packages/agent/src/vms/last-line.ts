import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { VmmLastLine } from '@unpin/contract';
import { check } from '@unpin/contract/check';
import type { VmDir } from './vm-dir.ts';

/** Bytes of a last line, with all the lies and conversions that a VMM tells in it. */
const LAST_LINE_MOST = 16 * 1_048_576;

/** The line with which a VMM ended, undefined where it runs yet or ended without a word. */
export function readLastLine(dir: VmDir): VmmLastLine | undefined {
  const line = tail(dir.output, LAST_LINE_MOST).trimEnd().split('\n').at(-1) ?? '';
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || 'ready' in value) return undefined;
    const checked = check(VmmLastLine, value);
    return checked.ok ? checked.value : undefined;
  } catch {
    return undefined;
  }
}

/** The last bytes of a file as text; empty where there is no such file. */
export function tail(path: string, most: number): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(size, most));
    const length = readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
}
