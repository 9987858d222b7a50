import { type ImageBoot, UnpinError, VerdictMessage } from '@unpin/contract';
import { check } from '@unpin/contract/check';
import {
  type ExtractedBoot,
  extractBoot,
  type ImageRequest,
  inspectConfined,
  inspectionError,
} from '@unpin/image/confined';
import type { Verdict } from '@unpin/policy';
import { probeVerdict } from './probe-verdict.ts';

/** An agent's machine may be busy with its VMs: more time than a person at a terminal would wait. */
const LIMITS = { cpuMs: 20_000, wallMs: 120_000 };

/**
 * Judges a boot set as it is now. Files are hostile input: they are parsed in a process without rights, limited in time
 * and memory. Throws the catalogue's errors for files that are not there, not readable or no kernels.
 */
export async function inspect(boot: ImageBoot, vmmVersion: string, signal: AbortSignal): Promise<Verdict> {
  if (boot.kind === 'probe') return probeVerdict(boot.flavour, vmmVersion);
  const inspection = await inspectConfined(requestOf(boot), { limits: LIMITS, signal });
  const error = inspectionError(inspection);
  if (error !== undefined) throw error;
  return believed(inspection.verdict, inspection.name);
}

/** A verdict with the files to start from: those of a disk image are taken out of it. */
export interface PreparedBoot {
  readonly verdict: Verdict;
  readonly extracted?: Omit<ExtractedBoot, 'inspection'>;
}

/**
 * Judges a boot set as it is now, and takes what boots out of a disk image.
 * @param folder for the files; nothing must be in it
 */
export async function prepareBoot(
  boot: ImageBoot,
  folder: string,
  vmmVersion: string,
  signal: AbortSignal,
): Promise<PreparedBoot> {
  if (boot.kind !== 'disk') return { verdict: await inspect(boot, vmmVersion, signal) };
  const { inspection, ...extracted } = await extractBoot(requestOf(boot), folder, { limits: LIMITS, signal });
  return { verdict: believed(inspection.verdict, inspection.name), extracted };
}

function requestOf(boot: Exclude<ImageBoot, { kind: 'probe' }>): ImageRequest {
  const { commandLine } = boot;
  const words = commandLine === undefined ? {} : { commandLine };
  switch (boot.kind) {
    case 'linux':
      return {
        image: boot.kernel,
        as: 'kernel',
        ...(boot.initrd === undefined ? {} : { initrd: boot.initrd }),
        ...words,
      };
    case 'disk':
      return {
        image: boot.path,
        as: 'disk',
        ...(boot.backing === undefined ? {} : { backing: boot.backing }),
        ...(boot.entry === undefined ? {} : { entry: boot.entry }),
        ...words,
      };
  }
}

/** What parses hostile input is not believed: what it says is checked as what comes from outside is. */
function believed(verdict: unknown, name: string): Verdict {
  const checked = check(VerdictMessage, verdict);
  if (checked.ok) return checked.value;
  throw new UnpinError('INTERNAL', { subject: `inspection of ${name}`, found: checked.problem });
}
