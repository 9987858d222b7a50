import { ByteReader } from '../byte-reader.ts';
import { FormatError } from '../format-error.ts';
import { type Banner, findBanner } from './banner.ts';
import { type BzImageSetup, hasSetupHeader, readSetupHeader } from './bz-image.ts';
import { type Elf64, isElf, type LoadSegment, readElf64 } from './elf.ts';
import { type PayloadFormat, unpackPayload } from './payload/unpack.ts';

/** Largest vmlinux that is unpacked unless the caller says otherwise: distribution kernels have 30–100 MiB. */
export const DEFAULT_IMAGE_LIMIT = 256 * 2 ** 20;

export interface ExtractOptions {
  /** Largest unpacked image, in bytes. */
  readonly imageLimit?: number;
}

/** A kernel file opened as far as its container and payload, whatever architecture is inside. */
export interface UnpackedKernel {
  readonly container: 'bzimage' | 'elf';
  readonly payload: PayloadFormat;
  /** The packed payload as it lies in the file (the whole file for a raw ELF). */
  readonly payloadBytes: Uint8Array;
  /** The boot protocol's header; undefined for a raw ELF. */
  readonly setup: BzImageSetup | undefined;
  /** The unpacked vmlinux. KASLR's relocations may follow the ELF image in it. */
  readonly image: Uint8Array;
}

/** A Linux kernel for x86-64, ready to be loaded or looked into. */
export interface KernelImage extends UnpackedKernel {
  readonly elf: Elf64;
  /** Physical address of startup_64. */
  readonly entry: number;
  /** What must lie in memory before `entry` is jumped to. */
  readonly segments: readonly LoadSegment[];
  readonly banner: Banner;
}

/**
 * Opens the container and unpacks the payload.
 * @throws FormatError
 */
export function unpackKernel(file: Uint8Array, options: ExtractOptions = {}): UnpackedKernel {
  const reader = new ByteReader(file);
  if (isElf(reader)) return { container: 'elf', payload: 'none', payloadBytes: file, setup: undefined, image: file };
  if (!hasSetupHeader(reader)) throw new FormatError('not-a-kernel', 'kernel file', 0, 'neither an ELF nor a bzImage');
  const setup = readSetupHeader(reader);
  const payloadBytes = file.subarray(setup.payloadOffset, setup.payloadOffset + setup.payloadLength);
  const { format, image } = unpackPayload(payloadBytes, options.imageLimit ?? DEFAULT_IMAGE_LIMIT);
  return { container: 'bzimage', payload: format, payloadBytes, setup, image };
}

/**
 * The Linux inside what was unpacked.
 * @throws FormatError also where there is no Linux banner: an ELF alone is not yet a kernel
 */
export function readKernelImage(unpacked: UnpackedKernel): KernelImage {
  const banner = findBanner(unpacked.image);
  if (banner === undefined) throw new FormatError('not-a-kernel', 'banner', 0, "no 'Linux version' in the image");
  const elf = readElf64(unpacked.image);
  if (elf.segments.length === 0) throw new FormatError('malformed', 'ELF header', 32, 'no segment to load');
  return { ...unpacked, elf, entry: elf.entry, segments: elf.segments, banner };
}

/**
 * From a kernel file's bytes to the vmlinux inside. Large parts of the result are views of one buffer.
 * @throws FormatError
 */
export function extractKernel(file: Uint8Array, options: ExtractOptions = {}): KernelImage {
  return readKernelImage(unpackKernel(file, options));
}
