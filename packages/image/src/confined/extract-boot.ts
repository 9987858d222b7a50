import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageInspectionMessage } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import { inspectionError } from '../inspect/inspection-error.ts';
import { type ConfinedOptions, type ImageRequest, inspectConfined } from './inspect-confined.ts';

/** What an image boots, as files of this machine: the very bytes that were judged. */
export interface ExtractedBoot {
  readonly inspection: ImageInspectionMessage;
  readonly kernel: { readonly path: string; readonly sha256: string };
  readonly initrd?: { readonly path: string; readonly sha256: string };
  readonly commandLine?: string;
}

/** A file that is written piece by piece, and its digest. */
class PartFile {
  readonly path: string;
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');

  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, 'wx', 0o600);
  }

  write(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
  }

  /** Closes it. @returns its digest */
  finish(): string {
    closeSync(this.#descriptor);
    return this.#hash.digest('hex');
  }
}

/**
 * Inspects an image and writes kernel and initrd of the start that was judged to `folder`, as `kernel` and `initrd`, which
 * must not be there. Several initrds are one, as a loader puts them into memory.
 * @throws UnpinError what is wrong with the image; CONFLICT where it can't be told which of its entries would boot;
 *   BOOT_SET_CHANGED where the file changed meanwhile
 */
export async function extractBoot(
  request: ImageRequest,
  folder: string,
  options: ConfinedOptions = {},
): Promise<ExtractedBoot> {
  const files = new Map<'kernel' | 'initrd', PartFile>();
  const digests = new Map<'kernel' | 'initrd', string>();
  let inspection: ImageInspectionMessage;
  try {
    inspection = await inspectConfined(
      {
        ...request,
        deliver: (part, bytes) => {
          const file = files.get(part) ?? new PartFile(join(folder, part));
          files.set(part, file);
          file.write(bytes);
        },
      },
      options,
    );
  } finally {
    for (const [part, file] of files) digests.set(part, file.finish());
  }
  const error = inspectionError(inspection);
  if (error !== undefined) throw error;
  const { bootSet } = inspection.verdict;
  const file = files.get('kernel');
  if (file === undefined) throw nothingToBoot(inspection);
  const initrd = files.get('initrd');
  if (digests.get('kernel') !== bootSet.kernel.sha256 || digests.get('initrd') !== bootSet.initrd?.sha256)
    throw new UnpinError('BOOT_SET_CHANGED', { subject: request.image, found: 'it changed while it was read' });
  return {
    inspection,
    kernel: { path: file.path, sha256: bootSet.kernel.sha256 },
    ...(initrd === undefined || bootSet.initrd === undefined
      ? {}
      : { initrd: { path: initrd.path, sha256: bootSet.initrd.sha256 } }),
    ...(bootSet.commandLine === undefined ? {} : { commandLine: bootSet.commandLine }),
  };
}

function nothingToBoot({ name, entries, verdict }: ImageInspectionMessage): UnpinError {
  const counting = entries.filter(({ counts }) => counts);
  if (counting.length > 1)
    return new UnpinError('CONFLICT', {
      subject: name,
      found: `${counting.length} entries that may all be the one that boots`,
      needed: `one of ${entries.map(({ title }, index) => `${index + 1} '${title}'`).join(', ')}`,
      next: 'choose with --entry',
    });
  return new UnpinError('IMAGE_UNSUPPORTED', {
    subject: name,
    found: verdict.obstacles[0] ?? 'nothing that would boot',
    needed: 'an image with a kernel that can be read',
  });
}
