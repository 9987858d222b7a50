import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { type ErrorBody, VmmLastLine } from '@unpin/contract';
import { check } from '@unpin/contract/check';
import { findVmm, isAlive, type ProcessId } from './processes.ts';
import type { VmDir } from './vm-dir.ts';

/** What there is of a VM on this host. */
export type Observed =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly error: ErrorBody }
  | { readonly kind: 'running'; readonly process: ProcessId }
  /** Its VMM is gone; `last` is what it said at its end, `words` the end of its log. */
  | { readonly kind: 'gone'; readonly last: VmmLastLine | undefined; readonly words: string };

const LAST_LINE_MOST = 262_144;
const WORDS_MOST = 2000;

/** Looks, and changes nothing. `known` spares a search of all processes. */
export function observe(dir: VmDir, known: ProcessId | undefined): Observed {
  if (known !== undefined && isAlive(known)) return { kind: 'running', process: known };
  if (existsSync(dir.refused))
    return { kind: 'refused', error: JSON.parse(readFileSync(dir.refused, 'utf8')) as ErrorBody };
  if (!existsSync(dir.launching)) return { kind: 'none' };
  const process = known === undefined ? (noted(dir) ?? findVmm(dir.path)) : undefined;
  if (process !== undefined) return { kind: 'running', process };
  return { kind: 'gone', last: lastLine(tail(dir.output, LAST_LINE_MOST)), words: tail(dir.log, WORDS_MOST).trim() };
}

/** The process that an agent wrote down, where it still runs. */
function noted(dir: VmDir): ProcessId | undefined {
  try {
    const id = JSON.parse(readFileSync(dir.process, 'utf8')) as ProcessId;
    return isAlive(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** The last line, if it is one with which a VMM ends. */
function lastLine(output: string): VmmLastLine | undefined {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
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
function tail(path: string, most: number): string {
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
