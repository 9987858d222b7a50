import { basename } from 'node:path';
import type { ImageLayers } from '@unpin/contract';
import type { BootChoice } from '../boot-set/boot-choice.ts';
import { ByteReader } from '../byte-reader.ts';
import { startsAsKernel } from '../confined/kernel-head.ts';
import type { GivenFolder } from '../disk/open-disk-folder.ts';
import { FormatError } from '../format-error.ts';
import { hasSetupHeader } from '../kernel/bz-image.ts';
import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import type { SpillLimits } from '../source/spill-file.ts';

/** An image opened as far as what it offers to start. */
export interface OpenedImage {
  readonly layers: ImageLayers;
  readonly choice: BootChoice;
  /** Volumes in which there may be more to start, and which can't be read. */
  readonly unread: readonly FormatError[];
  /** What ended the opening before there was a choice. */
  readonly problem: FormatError | undefined;
  /** Lets go of temporary files. */
  close(): void;
}

export interface OpenImageOptions {
  /** What the file is taken for; what it looks like unless said. */
  readonly as?: 'auto' | 'kernel' | 'disk';
  /** Files that may stand behind the image; it finds nothing else. */
  readonly backing?: readonly ByteSource[];
  /** Of a kernel that is given as a file. */
  readonly initrd?: ByteSource;
  readonly commandLine?: string;
  /** It starts with UEFI firmware, which then looks for the loader; else BIOS may as well. */
  readonly withFirmware: boolean;
  readonly budget: Budget;
  readonly spill?: SpillLimits;
  readonly at: (what: string) => void;
}

/** Up to the end of a bzImage's setup header. */
const HEAD = 0x270;
export const NO_CHOICE: BootChoice = { entries: [], preferred: undefined, configuration: [], doubts: [] };

/** Opens an image's layers; what is wrong with one of them is in the answer. */
export async function openImage(source: ByteSource | GivenFolder, options: OpenImageOptions): Promise<OpenedImage> {
  const as = options.as ?? 'auto';
  const layers: ImageLayers = {
    container: 'unknown',
    bytes: 'size' in source ? source.size : 0,
    volumes: [],
    notes: [],
  };
  try {
    if ('read' in source && (as === 'kernel' || (as === 'auto' && (await isKernel(source)))))
      return kernelImage(source, layers, options);
    // What reads disks is most of this room, and kernels have no use for it.
    const { openDiskImage } = await import('./open-disk-image.ts');
    return await openDiskImage(source, layers, options);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { layers, choice: NO_CHOICE, unread: [], problem: error, close: () => undefined };
  }
}

/** A disk with a boot sector is none. */
async function isKernel(source: ByteSource): Promise<boolean> {
  const head = await source.read(0, Math.min(HEAD, source.size));
  return startsAsKernel(head) || hasSetupHeader(new ByteReader(head));
}

function kernelImage(source: ByteSource, layers: ImageLayers, { initrd, commandLine }: OpenImageOptions): OpenedImage {
  const entry = {
    title: basename(source.name),
    loader: 'direct' as const,
    kernel: { name: source.name, source },
    initrds: initrd === undefined ? [] : [{ name: initrd.name, source: initrd }],
    commandLine,
  };
  return {
    layers: { ...layers, container: 'kernel' },
    choice: { ...NO_CHOICE, entries: [entry], preferred: 0 },
    unread: [],
    problem: undefined,
    close: () => undefined,
  };
}
