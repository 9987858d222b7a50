import { type InspectOptions, inspectKernelFile, toUnpinError } from '@unpin/image';
import type { Verdict } from '@unpin/policy';

/**
 * The verdict on a kernel file. Throws FILE_*, NOT_A_KERNEL and KERNEL_CORRUPT: of such a file there is nothing to say.
 * A kernel in a form that can't be read yet has a verdict, all of it unknown, with what stood in the way.
 */
export function inspectFile(path: string, options: InspectOptions = {}): Verdict {
  const { verdict, problem } = inspectKernelFile(path, options);
  if (problem !== undefined) {
    const error = toUnpinError(problem, path);
    if (error.code !== 'KERNEL_UNSUPPORTED') throw error;
  }
  return verdict;
}
