import type { ImageInspectionMessage } from '@unpin/contract';
import { type ErrorCode, UnpinError } from '@unpin/contract/errors';
import type { FormatErrorKind } from '../format-error.ts';

/** Of these there is a verdict, all of it unknown: the image may be fine, and isn't read here. */
const VERDICT: ReadonlySet<FormatErrorKind> = new Set(['unsupported', 'encrypted', 'not-64-bit']);

const CODES: Readonly<Record<FormatErrorKind, { readonly kernel: ErrorCode; readonly image: ErrorCode }>> = {
  'not-a-kernel': { kernel: 'NOT_A_KERNEL', image: 'NOT_A_KERNEL' },
  'not-64-bit': { kernel: 'NOT_A_KERNEL', image: 'NOT_A_KERNEL' },
  truncated: { kernel: 'KERNEL_CORRUPT', image: 'IMAGE_CORRUPT' },
  malformed: { kernel: 'KERNEL_CORRUPT', image: 'IMAGE_CORRUPT' },
  cycle: { kernel: 'KERNEL_CORRUPT', image: 'IMAGE_CORRUPT' },
  escape: { kernel: 'KERNEL_CORRUPT', image: 'IMAGE_UNSUPPORTED' },
  encrypted: { kernel: 'KERNEL_UNSUPPORTED', image: 'IMAGE_UNSUPPORTED' },
  unsupported: { kernel: 'KERNEL_UNSUPPORTED', image: 'IMAGE_UNSUPPORTED' },
  unreadable: { kernel: 'FILE_UNREADABLE', image: 'FILE_UNREADABLE' },
  'over-budget': { kernel: 'KERNEL_UNSUPPORTED', image: 'IMAGE_OVER_LIMITS' },
};

/**
 * The error that an inspection amounts to: nothing could be judged, and what was read is wrong in itself. Undefined where
 * there is a verdict, and where what was found is only not read here: then the verdict says so.
 */
export function inspectionError({ name, problem, layers }: ImageInspectionMessage): UnpinError | undefined {
  if (problem === undefined || VERDICT.has(problem.kind)) return undefined;
  const isKernel = layers.container === 'kernel';
  const code = CODES[problem.kind][isKernel ? 'kernel' : 'image'];
  const isDamage = problem.kind === 'truncated' || problem.kind === 'malformed';
  return new UnpinError(code, {
    subject: name,
    found: problem.message,
    needed: isKernel ? 'a bzImage or ELF vmlinux of Linux for x86-64' : 'a kernel, or a disk image with one in it',
    ...(isDamage ? { next: 'fetch the file again and compare its checksum' } : {}),
    ...(problem.kind === 'escape' ? { next: 'name the file that the image asks for with --backing' } : {}),
    detail: problem,
  });
}
