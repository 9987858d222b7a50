import { inspectConfined, inspectionError } from '@unpin/image/confined';
import type { Verdict } from '@unpin/policy';

/**
 * The verdict on a kernel file, found in a process without rights. Throws FILE_*, NOT_A_KERNEL and KERNEL_CORRUPT: of such
 * a file there is nothing to say. A kernel in a form that can't be read yet has a verdict, all of it unknown, with what
 * stood in the way.
 */
export async function inspectFile(path: string, options: { readonly commandLine?: string } = {}): Promise<Verdict> {
  const inspection = await inspectConfined({ image: path, as: 'kernel', ...options });
  const error = inspectionError(inspection);
  if (error !== undefined) throw error;
  return inspection.verdict;
}
