import type { KernelFacts, Verdict } from '@unpin/policy';
import { FormatError } from '../format-error.ts';
import { type Banner, findBanner } from '../kernel/banner.ts';
import {
  DEFAULT_IMAGE_LIMIT,
  type KernelImage,
  readKernelImage,
  type UnpackedKernel,
  unpackKernel,
} from '../kernel/vmlinux.ts';
import { bootSetOf, sha256 } from './boot-set.ts';
import { judge32Bit, judgeKernel, judgeUnread, type Statements } from './judge-kernel.ts';
import { readRegularFile } from './read-file.ts';

/** Version of the rules; raised with every change that can change a verdict. */
export const INSPECTOR = 'kernel-1';
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
  const opened = open(file, options);
  const part = { name, sha256: sha256(file), bytes: file.length };
  const { unpacked } = opened;
  // A 32-bit kernel was read well enough: its verdict is proven, nothing stood in the way.
  const problem = opened.problem?.kind === 'not-64-bit' ? undefined : opened.problem;
  const verdict: Verdict = {
    bootSet: bootSetOf(part, undefined, commandLine),
    inspector: INSPECTOR,
    kernel: factsOf(unpacked, opened.banner),
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

/** How far a file could be opened. */
interface Opened {
  readonly unpacked: UnpackedKernel | undefined;
  readonly banner: Banner | undefined;
  readonly kernel: KernelImage | undefined;
  readonly problem: FormatError | undefined;
}

function open(file: Uint8Array, options: InspectOptions): Opened {
  let unpacked: UnpackedKernel | undefined;
  try {
    unpacked = unpackKernel(file, { imageLimit: options.imageLimit ?? DEFAULT_IMAGE_LIMIT });
    const kernel = readKernelImage(unpacked);
    return { unpacked, kernel, banner: kernel.banner, problem: undefined };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const banner = unpacked && findBanner(unpacked.image);
    return { unpacked, banner, kernel: undefined, problem: error };
  }
}

function statementsOf({ kernel, problem }: Opened, commandLine: string | undefined): Statements {
  if (kernel !== undefined) return judgeKernel(kernel, commandLine);
  // Only an image with a Linux banner gets as far as being refused for its 32 bits.
  if (problem?.kind === 'not-64-bit') return judge32Bit();
  return judgeUnread(problem?.message ?? 'not read');
}

function factsOf(unpacked: UnpackedKernel | undefined, banner: Banner | undefined): KernelFacts {
  const words = banner === undefined ? {} : { banner: banner.text };
  if (unpacked === undefined) return { container: 'unknown', payload: 'unknown', ...words };
  const { setup, payload } = unpacked;
  const container =
    setup === undefined
      ? 'ELF vmlinux'
      : `bzImage ${setup.protocol >> 8}.${String(setup.protocol & 0xff).padStart(2, '0')}`;
  return { container, payload, ...words };
}
