import { createHash, type Hash } from 'node:crypto';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { FormatError } from '../format-error.ts';
import type { ByteSource } from '../source/byte-source.ts';
import type { ClosableSource } from '../source/closable-source.ts';
import { SpillFile } from '../source/spill-file.ts';
import type { Opening } from './opening.ts';

/** What is read and unpacked at once, in bytes. */
const PIECE = 2 ** 20;

/** SHA-256, in hexadecimal, of what was read and of what came out of it. */
export interface Digests {
  readonly packed: string;
  readonly unpacked: string;
}

/**
 * Unpacks a stream to a temporary file, so that any place of it can be read. The file is closed with the disk.
 * @param digests whether they are wanted: they cost as much as reading
 * @throws FormatError malformed, truncated, over-budget, unreadable
 */
export async function unpackToFile(
  kind: 'gzip' | 'zstd',
  packed: ByteSource,
  opening: Opening,
  digests: boolean,
): Promise<{ readonly unpacked: ClosableSource; readonly digests: Digests | undefined }> {
  const spill = new SpillFile(`${packed.name}, unpacked`, opening.spill);
  const hashes = digests ? { packed: createHash('sha256'), unpacked: createHash('sha256') } : undefined;
  try {
    await pipeline(Readable.from(piecesOf(packed, hashes?.packed)), decompressor(kind), async (out) => {
      for await (const bytes of out as AsyncIterable<Buffer>) {
        opening.budget.takeSteps(1, 'stream', spill.size);
        hashes?.unpacked.update(bytes);
        spill.append(bytes);
      }
    });
    opening.tookSpill(spill.size, spill.stored);
    opening.notes.push(
      `${packed.name}: ${kind} unpacked to a temporary file, ${spill.size} bytes, ${spill.stored} without its zeroes`,
    );
    return {
      unpacked: spill.finish(),
      digests: hashes && { packed: hashes.packed.digest('hex'), unpacked: hashes.unpacked.digest('hex') },
    };
  } catch (cause) {
    spill.discard();
    throw cause instanceof FormatError ? cause : streamError(kind, packed.name, cause);
  }
}

/** SHA-256 of all of a source, in hexadecimal. @throws FormatError over-budget */
export async function digestOf(source: ByteSource, opening: Opening): Promise<string> {
  if (source.size > opening.spill.bytes)
    throw new FormatError('over-budget', source.name, 0, `${source.size} bytes to compare with their digest`);
  opening.tookSpill(source.size, 0);
  const hash = createHash('sha256');
  for await (const _ of piecesOf(source, hash)) opening.budget.takeSteps(1, source.name, 0);
  return hash.digest('hex');
}

async function* piecesOf(source: ByteSource, hash: Hash | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < source.size; at += PIECE) {
    const bytes = await source.read(at, Math.min(PIECE, source.size - at));
    hash?.update(bytes);
    yield bytes;
  }
}

function decompressor(kind: 'gzip' | 'zstd'): Transform {
  const options = { chunkSize: PIECE };
  return kind === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
}

function streamError(kind: string, name: string, cause: unknown): FormatError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const detail = cause instanceof Error ? cause.message : String(cause);
  const cut = code === 'Z_BUF_ERROR' || code === 'ZSTD_error_srcSize_wrong' || detail === 'unexpected end of file';
  return new FormatError(cut ? 'truncated' : 'malformed', `${kind} stream of ${name}`, 0, detail);
}
