import { type ErrorCode, UnpinError } from '@unpin/contract';
import type { KernelErrorKind, KernelFormatError } from '../kernel/format-error.ts';

const CODES: Readonly<Record<KernelErrorKind, ErrorCode>> = {
  'not-a-kernel': 'NOT_A_KERNEL',
  'not-64-bit': 'NOT_A_KERNEL',
  truncated: 'KERNEL_CORRUPT',
  malformed: 'KERNEL_CORRUPT',
  unsupported: 'KERNEL_UNSUPPORTED',
  'over-budget': 'KERNEL_UNSUPPORTED',
};

const NEXT: Readonly<Partial<Record<KernelErrorKind, string>>> = {
  truncated: 'fetch the file again and compare its checksum',
  malformed: 'fetch the file again and compare its checksum',
};

/** A parser's error as the catalogue's, for people. @param subject the file */
export function toUnpinError(error: KernelFormatError, subject: string): UnpinError {
  const next = NEXT[error.kind];
  return new UnpinError(CODES[error.kind], {
    subject,
    found: error.message,
    needed: 'a bzImage or ELF vmlinux of Linux for x86-64',
    ...(next === undefined ? {} : { next }),
    cause: error,
  });
}
