import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LaunchOrder } from '@unpin/contract';
import { type ExtractedBoot, extractBoot } from '@unpin/image/confined';
import { observed, regimeOf, vmType } from '@unpin/policy';
import { compareRun, exitOfRun, observationsOfRun } from '../local/verify/compare-run.ts';
import { runBootSet } from '../local/verify/run-boot-set.ts';
import { wayToRun } from '../local/way-to-run.ts';
import type { GlobalOptions } from '../program.ts';
import { print, progressLine } from '../render/print.ts';
import { parseSize } from '../render/units.ts';
import { verificationText } from '../render/verification.ts';
import type { KvmChoice } from './run.ts';

interface Options {
  readonly entry?: string;
  readonly commandLine?: string;
  readonly initrd?: string;
  readonly backing?: readonly string[];
  readonly memory: string;
  readonly kvm: KvmChoice;
  readonly timeout: number;
}

/** So that what the kernel says of its start is seen, also where it dies early. */
const TALKATIVE = 'earlyprintk=ttyS0 ignore_loglevel';
const TYPE = vmType('sev-upm');

/** Boots what an image boots as an SEV guest, and compares what it does with what was read. */
export async function imageVerify(globals: GlobalOptions, image: string, options: Options): Promise<number> {
  const memoryBytes = parseSize(options.memory, '--memory');
  const way = await wayToRun(TYPE, { kvm: options.kvm, linux: true });
  const folder = await mkdtemp(join(tmpdir(), 'unpin-boot-'));
  const progress = progressLine(globals.json === true || !process.stderr.isTTY);
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  process.once('SIGINT', stop);
  try {
    progress.show(`inspecting ${image}`);
    const { entry, commandLine, initrd, backing } = options;
    const boot = await extractBoot(
      {
        image,
        ...(entry === undefined ? {} : { entry }),
        ...(commandLine === undefined ? {} : { commandLine }),
        ...(initrd === undefined ? {} : { initrd }),
        ...(backing === undefined ? {} : { backing }),
      },
      folder,
    );
    const run = await runBootSet(
      orderOf(boot, { execution: way.execution, memoryBytes, timeoutMs: options.timeout * 1000 }),
      { onLine: (line) => progress.show(line), signal: stopped.signal },
    );
    progress.clear();
    const { verdict } = boot.inspection;
    const comparisons = compareRun(verdict, run);
    const after = observed(verdict, observationsOfRun(run, comparisons));
    print(globals.json, { image, run, comparisons, verdict: after }, () =>
      verificationText(image, run, comparisons, verdict),
    );
    return exitOfRun(comparisons);
  } finally {
    progress.clear();
    process.off('SIGINT', stop);
    await rm(folder, { recursive: true, force: true });
  }
}

function orderOf(
  { kernel, initrd, commandLine }: ExtractedBoot,
  how: Pick<LaunchOrder, 'execution' | 'memoryBytes' | 'timeoutMs'>,
): LaunchOrder {
  return {
    contract: 1,
    name: 'verify',
    type: TYPE.id,
    regime: regimeOf(TYPE),
    ...how,
    boot: {
      kind: 'linux',
      kernel,
      ...(initrd === undefined ? {} : { initrd }),
      commandLine: [commandLine ?? '', TALKATIVE].join(' ').trim(),
    },
  };
}
