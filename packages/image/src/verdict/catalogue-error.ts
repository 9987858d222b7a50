import { type ErrorCode, UnpinError } from '@unpin/contract/errors';
import type { FormatError, FormatErrorKind } from '../format-error.ts';

const CODES: Readonly<Record<FormatErrorKind, ErrorCode>> = {
  'not-a-kernel': 'NOT_A_KERNEL',
  'not-64-bit': 'NOT_A_KERNEL',
  truncated: 'KERNEL_CORRUPT',
  malformed: 'KERNEL_CORRUPT',
  cycle: 'KERNEL_CORRUPT',
  escape: 'KERNEL_CORRUPT',
  encrypted: 'KERNEL_UNSUPPORTED',
  unreadable: 'FILE_UNREADABLE',
  unsupported: 'KERNEL_UNSUPPORTED',
  'over-budget': 'KERNEL_UNSUPPORTED',
};

const NEXT: Readonly<Partial<Record<FormatErrorKind, string>>> = {
  truncated: 'fetch the file again and compare its checksum',
  malformed: 'fetch the file again and compare its checksum',
};

/** A parser's error as the catalogue's, for people. @param subject the file */
export function toUnpinError(error: FormatError, subject: string): UnpinError {
  const next = NEXT[error.kind];
  return new UnpinError(CODES[error.kind], {
    subject,
    found: error.message,
    needed: 'a bzImage or ELF vmlinux of Linux for x86-64',
    ...(next === undefined ? {} : { next }),
    cause: error,
  });
}
