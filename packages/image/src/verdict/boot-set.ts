import { createHash } from 'node:crypto';
import type { BootSet } from '@unpin/policy';

type Part = BootSet['kernel'];

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The digest of a boot set: over its parts' digests and the command line, each on a line of its own kind. */
export function bootSetOf(kernel: Part, initrd: Part | undefined, commandLine: string | undefined): BootSet {
  const hash = createHash('sha256').update(`kernel ${kernel.sha256}\n`);
  if (initrd !== undefined) hash.update(`initrd ${initrd.sha256}\n`);
  if (commandLine !== undefined) hash.update(`command-line ${commandLine}\n`);
  return {
    digest: hash.digest('hex'),
    kernel,
    ...(initrd === undefined ? {} : { initrd }),
    ...(commandLine === undefined ? {} : { commandLine }),
  };
}
