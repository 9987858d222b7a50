import { UnpinError, type VmReport } from '@unpin/contract';
import { prepareRun } from '../local/prepare-run.ts';
import { runLocally } from '../local/run-locally.ts';
import type { GlobalOptions } from '../program.ts';
import { comparisonText } from '../render/comparison.ts';
import { progressLine } from '../render/print.ts';
import type { KvmChoice } from './run.ts';

export interface CompareOptions {
  readonly initrd?: string;
  readonly types: string;
  readonly memory: string;
  readonly kvm?: KvmChoice;
  readonly append?: string;
  readonly timeout: number;
  readonly testHost?: boolean | string;
  /** Ends the guest that runs, and the comparison. */
  readonly signal?: AbortSignal;
}

/** Runs the same guest as several VM types, one after the other, and shows their figures side by side. */
export async function compareCommand(globals: GlobalOptions, kernel: string, options: CompareOptions): Promise<number> {
  if (options.testHost !== undefined && options.testHost !== false) {
    const { runSelfInTestHost, withoutTestHost } = await import('../test-host/run-self.ts');
    return runSelfInTestHost(withoutTestHost(process.argv.slice(2)), {
      quiet: globals.json === true,
      ...(typeof options.testHost === 'string' ? { kernel: options.testHost } : {}),
    });
  }
  const reports = await compare(kernel, options, globals.json === true);
  process.stdout.write(
    globals.json === true ? `${JSON.stringify({ reports }, null, 2)}\n` : `${comparisonText(reports)}\n`,
  );
  return 0;
}

/** The reports of one guest under several types. The guest is a kernel with an initrd, or `probe`. */
export async function compare(kernel: string, options: CompareOptions, quiet: boolean): Promise<readonly VmReport[]> {
  const types = options.types.split(',').map((name) => name.trim());
  const reports: VmReport[] = [];
  const progress = progressLine(quiet);
  for (const type of types) {
    progress.show(`running ${kernel === 'probe' ? 'the probe' : 'the guest'} as ${type}`);
    const { order } = await prepareRun(kernel, {
      type,
      memory: options.memory,
      flavour: 'honest',
      ...(options.kvm === undefined ? {} : { kvm: options.kvm }),
      timeout: options.timeout,
      ...(options.initrd === undefined ? {} : { initrd: options.initrd }),
      ...(options.append === undefined ? {} : { append: options.append }),
    });
    const { report } = await runLocally(order, {
      console: 'none',
      json: true,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    progress.clear();
    if (report.ending?.reason !== 'power-off')
      throw new UnpinError('GUEST_CRASHED', {
        subject: `the guest as ${type}`,
        found: `${report.ending?.reason ?? 'no ending'}${report.ending?.detail === undefined ? '' : `: ${report.ending.detail}`}`,
        needed: 'a power-off',
        next: `unpin run ${kernel} --type ${type}`,
      });
    reports.push(report);
  }
  return reports;
}
