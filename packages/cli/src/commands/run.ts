import { resolve } from 'node:path';
import { UnpinError } from '@unpin/contract';
import { prepareRestore } from '../local/prepare-restore.ts';
import { type PreparedRun, prepareRun } from '../local/prepare-run.ts';
import { exitOfEnding, runLocally } from '../local/run-locally.ts';
import type { GlobalOptions } from '../program.ts';
import { runSummary } from '../render/run-summary.ts';

/** Which KVM runs the guest: the machine's, the software KVM, or the first that can. */
export type KvmChoice = 'auto' | 'linux' | 'software';

export interface RunOptions {
  readonly restore?: string;
  readonly snapshot?: string;
  readonly initrd?: string;
  readonly type: string;
  readonly memory: string;
  readonly kvm?: KvmChoice;
  readonly append?: string;
  readonly inGuestDecompress?: boolean;
  readonly waive?: string;
  readonly probation?: boolean;
  readonly flavour: 'honest' | 'silent' | 'lying' | 'misreporting';
  readonly stopOnLie?: boolean;
  readonly timeout?: number;
  readonly testHost?: boolean | string;
  readonly figures?: boolean;
  /** Kinds; true for conversions alone. */
  readonly trace?: boolean | string;
}

/** One guest on this machine, or in a test host: its console is this terminal. */
export async function runCommand(
  globals: GlobalOptions,
  kernel: string | undefined,
  options: RunOptions,
): Promise<number> {
  if (options.testHost !== undefined && options.testHost !== false) {
    const { runSelfInTestHost, withoutTestHost } = await import('../test-host/run-self.ts');
    return runSelfInTestHost(withoutTestHost(process.argv.slice(2)), {
      quiet: globals.json === true,
      ...(typeof options.testHost === 'string' ? { kernel: options.testHost } : {}),
    });
  }
  const { order, decision } = await prepare(kernel, options);
  const result = await runLocally(order, {
    ...(options.snapshot === undefined ? {} : { snapshot: resolve(options.snapshot) }),
    console: globals.json === true ? 'stderr' : 'stdout',
    json: globals.json === true,
  });
  if (globals.json === true)
    process.stdout.write(`${JSON.stringify({ decision, report: result.report, lies: result.lies }, null, 2)}\n`);
  else process.stderr.write(`${runSummary(result, options.figures === true)}\n`);
  return exitOfEnding(result.report);
}

/** @throws UnpinError USAGE, SNAPSHOT_INVALID and what a kernel may be refused for */
async function prepare(kernel: string | undefined, options: RunOptions): Promise<PreparedRun> {
  if ((kernel === undefined) === (options.restore === undefined))
    throw new UnpinError('USAGE', { subject: 'unpin run', needed: 'a kernel, or a snapshot with --restore' });
  if (kernel !== undefined) return await prepareRun(kernel, options);
  return await prepareRestore(options.restore ?? '', options);
}
