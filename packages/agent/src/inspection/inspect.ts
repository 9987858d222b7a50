import { type ImageBoot, UnpinError, VerdictMessage } from '@unpin/contract';
import { check } from '@unpin/contract/check';
import { inspectConfined, inspectionError } from '@unpin/image/confined';
import type { Verdict } from '@unpin/policy';
import { probeVerdict } from './probe-verdict.ts';

/** An agent's machine may be busy with its VMs: more time than a person at a terminal would wait. */
const LIMITS = { cpuMs: 20_000, wallMs: 120_000 };

/**
 * Judges a boot set as it is now. Files are hostile input: they are parsed in a process without rights, limited in time
 * and memory. Throws the catalogue's errors for files that are not there, not readable or no kernels.
 */
export async function inspect(boot: ImageBoot, vmmVersion: string, signal: AbortSignal): Promise<Verdict> {
  switch (boot.kind) {
    case 'probe':
      return probeVerdict(boot.flavour, vmmVersion);
    case 'linux':
      return await inspectFiles(boot, signal);
  }
}

async function inspectFiles(boot: Extract<ImageBoot, { kind: 'linux' }>, signal: AbortSignal): Promise<Verdict> {
  const { kernel, initrd, commandLine } = boot;
  const inspection = await inspectConfined(
    {
      image: kernel,
      as: 'kernel',
      ...(initrd === undefined ? {} : { initrd }),
      ...(commandLine === undefined ? {} : { commandLine }),
    },
    { limits: LIMITS, signal },
  );
  const error = inspectionError(inspection);
  if (error !== undefined) throw error;
  // What parses hostile input is not believed: what it says is checked as what comes from outside is.
  const checked = check(VerdictMessage, inspection.verdict);
  if (checked.ok) return checked.value;
  throw new UnpinError('INTERNAL', { subject: `inspection of ${kernel}`, found: checked.problem });
}
