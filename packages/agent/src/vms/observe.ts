import { existsSync, readFileSync } from 'node:fs';
import type { ErrorBody, VmmLastLine } from '@unpin/contract';
import { readLastLine, tail } from './last-line.ts';
import { findVmm, isAlive, type ProcessId } from './processes.ts';
import type { VmDir } from './vm-dir.ts';

/** What there is of a VM on this host. */
export type Observed =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly error: ErrorBody }
  | { readonly kind: 'running'; readonly process: ProcessId }
  /** Its VMM is gone; `last` is what it said at its end, `words` the end of its log. */
  | { readonly kind: 'gone'; readonly last: VmmLastLine | undefined; readonly words: string };

const WORDS_MOST = 2000;

/** Looks, and changes nothing. `known` spares a search of all processes. */
export function observe(dir: VmDir, known: ProcessId | undefined): Observed {
  if (known !== undefined && isAlive(known)) return { kind: 'running', process: known };
  if (existsSync(dir.refused))
    return { kind: 'refused', error: JSON.parse(readFileSync(dir.refused, 'utf8')) as ErrorBody };
  if (!existsSync(dir.launching)) return { kind: 'none' };
  const process = known === undefined ? (noted(dir) ?? findVmm(dir.path)) : undefined;
  if (process !== undefined) return { kind: 'running', process };
  return { kind: 'gone', last: readLastLine(dir), words: tail(dir.log, WORDS_MOST).trim() };
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
