import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { LaunchOrder } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import type { GpaRange } from '@unpin/kvm';
import { type Channel, planProbe } from '../../probe/index.ts';
import { acpiTables, type BootKernel, type BootPlan, commandLineWith, planBoot } from '../boot/index.ts';
import { readBzImage, readKernel } from './read-kernel.ts';

/** What a boot plan depends on besides the boot set. */
export interface PlanInputs {
  readonly ram: readonly GpaRange[];
  readonly cBit: number | null;
  /** How a probe reports here. */
  readonly channel: Channel;
}

/** A boot set whose bytes have been read once and judged: the same bytes are booted, also when a VM starts again. */
export interface ReadBootSet {
  /** The kernel's banner, where there is one. */
  readonly banner?: string;
  readonly plan: (inputs: PlanInputs) => BootPlan;
  /** Gives back the memory of kernel and initrd at once; nothing can be planned, and no plan loaded, after it. */
  readonly forget: () => void;
}

/** The least that a probe can be given to touch, and what it touches unless told otherwise, in bytes. */
const PROBE_TOUCH = 16 * 1024 * 1024;
/** Memory below this is the probe's own. */
const PROBE_OWN = 2 * 1024 * 1024;

/** @throws UnpinError BOOT_SET_CHANGED and what a kernel file may be refused for */
export function readBootSet(order: LaunchOrder): ReadBootSet {
  const { boot } = order;
  switch (boot.kind) {
    case 'linux': {
      const { kernel, banner } = kernelOf(boot.kernel.path, judged(boot.kernel), boot.unpackedBy ?? 'vmm');
      const initrd = boot.initrd === undefined ? null : judged(boot.initrd);
      const commandLine = commandLineWith(boot.commandLine);
      return {
        ...(banner === undefined ? {} : { banner }),
        plan: ({ ram, cBit }) => planBoot({ kernel, initrd, commandLine, ram, cBit, acpi: acpiTables() }),
        forget: () => {
          for (const { bytes } of kernel.segments) free(bytes);
          if (initrd !== null) free(initrd);
        },
      };
    }
    case 'probe': {
      const most = Math.max(0, order.memoryBytes - PROBE_OWN);
      const touchBytes = Math.min(boot.touchBytes ?? PROBE_TOUCH, most);
      const { flavour, rounds = 0, exits = 0 } = boot;
      return {
        plan: ({ ram, cBit, channel }) => planProbe({ ram, cBit, flavour, channel, touchBytes, rounds, exits }),
        forget: () => {},
      };
    }
  }
}

function kernelOf(
  path: string,
  file: Uint8Array,
  unpackedBy: 'vmm' | 'guest',
): { readonly kernel: BootKernel; readonly banner?: string } {
  if (unpackedBy === 'guest') return { kernel: readBzImage(path, file) };
  const kernel = readKernel(path, file);
  return { kernel, banner: kernel.banner };
}

/** Node's own pool, which small buffers share, can't be detached and isn't ours. */
const WORTH_FREEING = 1024 * 1024;

/**
 * A detached buffer is freed now; a running guest would otherwise keep an unpacked kernel until the next collection. The
 * memory of a WebAssembly decoder can't be detached, and waits for that.
 */
function free({ buffer }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < WORTH_FREEING) return;
  try {
    buffer.transfer(0);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

/** A file's bytes, if they are the ones that were judged. */
function judged(part: { readonly path: string; readonly sha256?: string }): Uint8Array {
  const bytes = read(part.path);
  if (part.sha256 === undefined) return bytes;
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === part.sha256) return bytes;
  throw new UnpinError('BOOT_SET_CHANGED', {
    subject: part.path,
    found: `sha256 ${found}`,
    needed: `sha256 ${part.sha256}, as it was judged`,
    next: 'inspect the image again',
  });
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UnpinError(missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE', { subject: path, cause });
  }
}
