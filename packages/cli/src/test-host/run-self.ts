import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { keptCode, startTestHost } from '@unpin/test-host';
import { requireHostKernel } from '../commands/test-host-run.ts';
import { progressLine } from '../render/print.ts';

export interface SelfOptions {
  /** No progress and no word of the test host on stderr. */
  readonly quiet?: boolean;
  readonly kernel?: string;
  readonly stdout?: Writable;
  readonly stdin?: 'ignore';
  readonly signal?: AbortSignal;
}

/** Memory of the test host, in MiB: Node, a guest, and room for its pins. */
const MEMORY_MIB = 4096;

/**
 * Runs this same program inside a test host: Debian's kernel with kvm_amd in QEMU, with this machine's files.
 * Says so, shows the host's boot, and answers the command's exit status.
 */
export async function runSelfInTestHost(args: readonly string[], options: SelfOptions): Promise<number> {
  const progress = progressLine(options.quiet === true);
  const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url));
  if (options.quiet !== true)
    process.stderr.write('in a test host: an emulated CPU with SVM, so times are those of emulation\n');
  const { exitCode } = await startTestHost({
    kernel: requireHostKernel(options.kernel ?? 'host-6.12'),
    command: [process.execPath, main, ...args],
    env: {
      ...process.env,
      ...keptCode(),
      UNPIN_STATE_DIR: '/tmp/unpin-state',
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    },
    memoryMiB: MEMORY_MIB,
    ...(options.stdout === undefined ? {} : { stdout: options.stdout }),
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onProgress: (stage) => (stage === 'running' ? progress.clear() : progress.show(`test host: ${stage}`)),
  });
  progress.clear();
  return exitCode;
}

/** The same command line without --test-host and its value. */
export function withoutTestHost(argv: readonly string[]): string[] {
  return argv.filter(
    (arg, i) =>
      arg !== '--test-host' &&
      !arg.startsWith('--test-host=') &&
      !(argv[i - 1] === '--test-host' && arg.startsWith('host-')),
  );
}
