import { type ErrorCode, UnpinError } from '@unpin/contract/errors';
import { extractKernel, type KernelErrorKind, KernelFormatError } from '@unpin/image';
import type { BootKernel } from '../boot/index.ts';

/** Boot protocol (Documentation/arch/x86/boot.rst): the setup header begins at 0x1f1 and says at 0x201 where it ends. */
const SETUP_HEADER = 0x1f1;
const SETUP_HEADER_JUMP = 0x201;
const SETUP_HEADER_END_BASE = 0x202;

/**
 * A kernel file as direct boot needs it.
 * @throws UnpinError NOT_A_KERNEL, KERNEL_CORRUPT, KERNEL_UNSUPPORTED, FILE_TOO_LARGE
 */
export function readKernel(path: string, file: Uint8Array): BootKernel & { readonly banner: string } {
  try {
    const image = extractKernel(file);
    return {
      segments: image.segments.map(({ paddr, bytes, memsz }) => ({ paddr, bytes, memsz })),
      entry: image.entry,
      setupHeader: image.container === 'bzimage' ? setupHeaderOf(file) : null,
      banner: image.banner.text,
    };
  } catch (cause) {
    if (!(cause instanceof KernelFormatError)) throw cause;
    throw new UnpinError(CODES[cause.kind], { subject: path, found: cause.message, cause });
  }
}

const CODES: Readonly<Record<KernelErrorKind, ErrorCode>> = {
  'not-a-kernel': 'NOT_A_KERNEL',
  truncated: 'KERNEL_CORRUPT',
  malformed: 'KERNEL_CORRUPT',
  unsupported: 'KERNEL_UNSUPPORTED',
  'over-budget': 'FILE_TOO_LARGE',
  'not-64-bit': 'NOT_A_KERNEL',
};

function setupHeaderOf(file: Uint8Array): Uint8Array {
  return file.slice(SETUP_HEADER, SETUP_HEADER_END_BASE + (file[SETUP_HEADER_JUMP] ?? 0));
}
