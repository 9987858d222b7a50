import { createHash } from 'node:crypto';
import type { BootPart, BootSet } from '@unpin/policy';
import { bootSetOf } from '../verdict/boot-set.ts';

export interface StartParts {
  readonly kernel: BootPart;
  readonly initrd: BootPart | undefined;
  readonly commandLine: string | undefined;
  readonly configuration: readonly BootPart[];
  readonly firmware: BootPart | undefined;
}

/** The boot set of one start, with the digests of all that led to it; without a loader and firmware that of the parts. */
export function startBootSet({ kernel, initrd, commandLine, configuration, firmware }: StartParts): BootSet {
  const bare = bootSetOf(kernel, initrd, commandLine);
  if (configuration.length === 0 && firmware === undefined) return bare;
  const hash = createHash('sha256').update(`start ${bare.digest}\n`);
  for (const part of configuration) hash.update(`configuration ${part.sha256}\n`);
  if (firmware !== undefined) hash.update(`firmware ${firmware.sha256}\n`);
  return {
    ...bare,
    digest: hash.digest('hex'),
    ...(configuration.length === 0 ? {} : { configuration }),
    ...(firmware === undefined ? {} : { firmware }),
  };
}

/** The boot set of an image of which several starts count: the first one's, with a digest over all of them. */
export function imageBootSet(starts: readonly [BootSet, ...BootSet[]]): BootSet {
  const [first, ...rest] = starts;
  const others = [...new Set(rest.map(({ digest }) => digest))].filter((digest) => digest !== first.digest);
  if (others.length === 0) return first;
  const hash = createHash('sha256');
  for (const digest of [first.digest, ...others].toSorted()) hash.update(`start ${digest}\n`);
  return { ...first, digest: hash.digest('hex'), others };
}

/** Of an image without a start that could be named: no digest, so that it is like no other. */
export function noBootSet(name: string, bytes: number): BootSet {
  return { digest: '', kernel: { name, sha256: '', bytes } };
}
