import { type ErrorCode, UnpinError } from '@unpin/contract/errors';
import { ByteReader, extractKernel, FormatError, type FormatErrorKind, readSetupHeader } from '@unpin/image/kernel';
import type { BootKernel } from '../boot/index.ts';

/** Boot protocol (Documentation/arch/x86/boot.rst): the setup header begins at 0x1f1 and says at 0x201 where it ends. */
const SETUP_HEADER = 0x1f1;
const SETUP_HEADER_JUMP = 0x201;
const SETUP_HEADER_END_BASE = 0x202;

/** The 64-bit entry of a bzImage (boot.rst, "64-bit Boot Protocol"), from where its code is loaded. */
const ENTRY_64 = 0x200;
/** xloadflags: the kernel has that entry. */
const XLF_KERNEL_64 = 1;
/** pref_address of kernels that don't say: Linux's CONFIG_PHYSICAL_START. */
const PHYSICAL_START = 0x100_0000;

/**
 * A bzImage to be entered at its own stub, which unpacks the kernel in the guest.
 * @throws UnpinError as readKernel
 */
export function readBzImage(path: string, file: Uint8Array): BootKernel {
  return translated(path, () => {
    const setup = readSetupHeader(new ByteReader(file));
    if ((setup.xLoadFlags & XLF_KERNEL_64) === 0)
      throw new FormatError('unsupported', 'xloadflags', 0x236, 'a kernel without a 64-bit entry');
    const bytes = file.subarray(setup.codeOffset);
    const paddr = setup.prefAddress ?? PHYSICAL_START;
    return {
      segments: [{ paddr, bytes, memsz: Math.max(bytes.length, setup.initSize ?? 0) }],
      entry: paddr + ENTRY_64,
      setupHeader: setup.header,
    };
  });
}

/**
 * A kernel file as direct boot needs it.
 * @throws UnpinError NOT_A_KERNEL, KERNEL_CORRUPT, KERNEL_UNSUPPORTED, FILE_TOO_LARGE
 */
export function readKernel(path: string, file: Uint8Array): BootKernel & { readonly banner: string } {
  return translated(path, () => {
    const image = extractKernel(file);
    return {
      segments: image.segments.map(({ paddr, bytes, memsz }) => ({ paddr, bytes, memsz })),
      entry: image.entry,
      setupHeader: image.container === 'bzimage' ? setupHeaderOf(file) : null,
      banner: image.banner.text,
    };
  });
}

function translated<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new UnpinError(CODES[cause.kind], { subject: path, found: cause.message, cause });
  }
}

const CODES: Readonly<Record<FormatErrorKind, ErrorCode>> = {
  'not-a-kernel': 'NOT_A_KERNEL',
  truncated: 'KERNEL_CORRUPT',
  malformed: 'KERNEL_CORRUPT',
  cycle: 'KERNEL_CORRUPT',
  escape: 'KERNEL_CORRUPT',
  encrypted: 'KERNEL_UNSUPPORTED',
  unreadable: 'FILE_UNREADABLE',
  unsupported: 'KERNEL_UNSUPPORTED',
  'over-budget': 'FILE_TOO_LARGE',
  'not-64-bit': 'NOT_A_KERNEL',
};

function setupHeaderOf(file: Uint8Array): Uint8Array {
  return file.slice(SETUP_HEADER, SETUP_HEADER_END_BASE + (file[SETUP_HEADER_JUMP] ?? 0));
}
