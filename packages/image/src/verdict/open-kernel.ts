import type { KernelFacts } from '@unpin/policy';
import { FormatError } from '../format-error.ts';
import { type Banner, findBanner } from '../kernel/banner.ts';
import {
  DEFAULT_IMAGE_LIMIT,
  type KernelImage,
  readKernelImage,
  type UnpackedKernel,
  unpackKernel,
} from '../kernel/vmlinux.ts';
import { judge32Bit, judgeKernel, judgeUnread, type Statements } from './judge-kernel.ts';

/** How far a kernel file could be opened. */
export interface OpenedKernel {
  readonly unpacked: UnpackedKernel | undefined;
  readonly banner: Banner | undefined;
  readonly kernel: KernelImage | undefined;
  readonly problem: FormatError | undefined;
}

/** Opens a kernel file's bytes as far as that goes; never throws for what is in them. @param imageLimit largest unpacked image, in bytes */
export function openKernel(file: Uint8Array, imageLimit = DEFAULT_IMAGE_LIMIT): OpenedKernel {
  let unpacked: UnpackedKernel | undefined;
  try {
    unpacked = unpackKernel(file, { imageLimit });
    const kernel = readKernelImage(unpacked);
    return { unpacked, kernel, banner: kernel.banner, problem: undefined };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const banner = unpacked && findBanner(unpacked.image);
    return { unpacked, banner, kernel: undefined, problem: error };
  }
}

/** What can be said of a kernel, however far it could be opened. */
export function statementsOf({ kernel, problem }: OpenedKernel, commandLine: string | undefined): Statements {
  if (kernel !== undefined) return judgeKernel(kernel, commandLine);
  // Only an image with a Linux banner gets as far as being refused for its 32 bits.
  if (problem?.kind === 'not-64-bit') return judge32Bit();
  return judgeUnread(problem?.message ?? 'not read');
}

export function factsOf({ unpacked, banner }: OpenedKernel): KernelFacts {
  const words = banner === undefined ? {} : { banner: banner.text };
  if (unpacked === undefined) return { container: 'unknown', payload: 'unknown', ...words };
  const { setup, payload } = unpacked;
  const container =
    setup === undefined
      ? 'ELF vmlinux'
      : `bzImage ${setup.protocol >> 8}.${String(setup.protocol & 0xff).padStart(2, '0')}`;
  return { container, payload, ...words };
}

/** What stood in the way. A 32-bit kernel was read well enough: its verdict is proven, nothing did. */
export function obstacleOf({ problem }: OpenedKernel): FormatError | undefined {
  return problem?.kind === 'not-64-bit' ? undefined : problem;
}
