import { randomBytes } from 'node:crypto';
import { closeSync, constants, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError } from '../format-error.ts';
import type { ClosableSource } from './closable-source.ts';
import { descriptorSource } from './descriptor-source.ts';

export interface SpillLimits {
  /** Where temporary files may lie; `$TMPDIR`, else the system's folder, unless said. */
  readonly folder?: string;
  /** In place of a folder: an empty file without a name, opened for reading and writing, by its descriptor. */
  readonly open?: () => number;
  /** The most that may be unpacked in all, zeroes included, in bytes. */
  readonly bytes: number;
  /** The most that may be kept on the disk, in bytes: zeroes take no room. */
  readonly stored: number;
}

/** 64 GiB: the largest disk that people publish packed. 8 GiB: what such a disk holds. */
export const DEFAULT_SPILL: SpillLimits = { bytes: 2 ** 36, stored: 2 ** 33 };

/** Zeroes are left out in pieces of this size, which is what file systems allocate. */
const HOLE = 4096;
const ZEROES = Buffer.alloc(2 ** 20);

/**
 * A temporary file for what has to be unpacked before any place of it can be read. It has no name from the start: it
 * is gone once it is closed, however that comes about.
 */
export class SpillFile {
  readonly #name: string;
  readonly #limits: SpillLimits;
  readonly #descriptor: number;
  #size = 0;
  #stored = 0;

  /** @param name of what is unpacked. @throws FormatError unreadable */
  constructor(name: string, limits: SpillLimits) {
    this.#name = name;
    this.#limits = limits;
    try {
      this.#descriptor = (limits.open ?? (() => openNameless(limits.folder ?? tmpdir())))();
    } catch (cause) {
      throw cause instanceof FormatError ? cause : this.#failed('no temporary file for it', cause);
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Without the zeroes that were left out. */
  get stored(): number {
    return this.#stored;
  }

  /** @throws FormatError over-budget; unreadable where the disk is full */
  append(bytes: Uint8Array): void {
    const start = this.#size;
    this.#size += bytes.length;
    if (this.#size > this.#limits.bytes) throw this.#tooMuch(this.#limits.bytes, 'unpacked');
    if (isZero(bytes)) return;
    for (let at = 0; at < bytes.length; ) {
      const from = at;
      at = pieceEnd(start, at, bytes.length);
      if (isZero(bytes.subarray(from, at))) continue;
      while (at < bytes.length && !isZero(bytes.subarray(at, pieceEnd(start, at, bytes.length))))
        at = pieceEnd(start, at, bytes.length);
      this.#write(bytes.subarray(from, at), start + from);
    }
  }

  /** What was appended, to be read; it takes the file over. */
  finish(): ClosableSource {
    try {
      ftruncateSync(this.#descriptor, this.#size);
    } catch (cause) {
      throw this.#failed('its temporary file', cause);
    }
    return descriptorSource(this.#name, this.#descriptor, this.#size);
  }

  /** Instead of `finish`. */
  discard(): void {
    closeSync(this.#descriptor);
  }

  #write(bytes: Uint8Array, at: number): void {
    this.#stored += bytes.length;
    if (this.#stored > this.#limits.stored) throw this.#tooMuch(this.#limits.stored, 'kept in a temporary file');
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done, at + done);
    } catch (cause) {
      throw this.#failed('its temporary file', cause);
    }
  }

  #tooMuch(limit: number, how: string): FormatError {
    return new FormatError('over-budget', this.#name, this.#size, `more than the ${limit} bytes that may be ${how}`);
  }

  #failed(what: string, cause: unknown): FormatError {
    const detail = cause instanceof Error ? cause.message : String(cause);
    return new FormatError('unreadable', this.#name, this.#size, `${what}: ${detail}`);
  }
}

/** A temporary file that is gone once it is closed, however that comes about. */
export function openNameless(folder: string): number {
  const path = join(folder, `unpin-${randomBytes(12).toString('hex')}`);
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  unlinkSync(path);
  return descriptor;
}

/** Where the piece of the file that begins at `at` of the bytes ends, in them. */
function pieceEnd(start: number, at: number, length: number): number {
  return Math.min(length, at + HOLE - ((start + at) % HOLE));
}

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROES.length) {
    const piece = bytes.subarray(at, at + ZEROES.length);
    if (ZEROES.compare(piece, 0, piece.length, 0, piece.length) !== 0) return false;
  }
  return true;
}
