import type { Verdict } from '@unpin/policy';
import type { FormatError } from '../format-error.ts';
import type { KernelImage } from '../kernel/vmlinux.ts';
import { bootSetOf, sha256 } from './boot-set.ts';
import { factsOf, obstacleOf, openKernel, statementsOf } from './open-kernel.ts';
import { readRegularFile } from './read-file.ts';

/** Version of the rules; raised with every change that can change a verdict. */
export const INSPECTOR = 'kernel-6';
/** Largest kernel file that is read, in bytes. */
export const DEFAULT_FILE_LIMIT = 512 * 2 ** 20;

export interface InspectOptions {
  /** The command line that the kernel would boot with; it can turn abilities off. */
  readonly commandLine?: string;
  /** Largest file, in bytes. */
  readonly fileLimit?: number;
  /** Largest unpacked image, in bytes. */
  readonly imageLimit?: number;
}

export interface Inspection {
  /** Always there: of what could not be read, every statement is unknown. */
  readonly verdict: Verdict;
  /** Why the kernel could not be read; undefined where it was, 32-bit kernels included. */
  readonly problem: FormatError | undefined;
  /** The kernel, for who goes on to boot the very bytes that were judged; undefined where it can't be booted. */
  readonly kernel: KernelImage | undefined;
  /** SHA-256 of the packed payload, hex: two files with the same one carry the same kernel in other wrappings. */
  readonly payloadSha256: string | undefined;
  readonly figures: InspectFigures;
}

/** What the inspection cost. */
export interface InspectFigures {
  readonly milliseconds: number;
  /** Largest buffers held, in bytes: the file and the unpacked image. */
  readonly fileBytes: number;
  readonly imageBytes: number;
}

/**
 * Inspects a kernel file.
 * @throws UnpinError where the file itself can't be read: FILE_NOT_FOUND, FILE_UNREADABLE, FILE_TOO_LARGE
 */
export function inspectKernelFile(path: string, options: InspectOptions = {}): Inspection {
  return inspectKernel(readRegularFile(path, options.fileLimit ?? DEFAULT_FILE_LIMIT), path, options);
}

/** Inspects a kernel file's bytes; whatever they are, this ends with a verdict. */
export function inspectKernel(file: Uint8Array, name: string, options: InspectOptions = {}): Inspection {
  const started = performance.now();
  const { commandLine } = options;
  const opened = openKernel(file, options.imageLimit);
  const part = { name, sha256: sha256(file), bytes: file.length };
  const { unpacked } = opened;
  const problem = obstacleOf(opened);
  const verdict: Verdict = {
    bootSet: bootSetOf(part, undefined, commandLine),
    inspector: INSPECTOR,
    kernel: factsOf(opened),
    statements: statementsOf(opened, commandLine),
    obstacles: problem === undefined ? [] : [problem.message],
  };
  return {
    verdict,
    problem,
    kernel: opened.kernel,
    payloadSha256: unpacked && sha256(unpacked.payloadBytes),
    figures: {
      milliseconds: performance.now() - started,
      fileBytes: file.length,
      imageBytes: unpacked?.image.length ?? 0,
    },
  };
}
