import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTestHost } from '@unpin/test-host';
import { progressLine } from '../render/print.ts';

/**
 * Runs this same program inside a test host: Debian's kernel with kvm_amd in QEMU, with this machine's files.
 * Says so, shows the host's boot, and answers the command's exit status.
 */
export async function runSelfInTestHost(
  args: readonly string[],
  options: { readonly quiet?: boolean; readonly kernel?: string; readonly memoryMiB?: number },
): Promise<number> {
  const progress = progressLine(options.quiet === true);
  const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url));
  if (options.quiet !== true)
    process.stderr.write('in a test host: an emulated CPU with SVM, so times are those of emulation\n');
  const { exitCode } = await startTestHost({
    kernel: options.kernel === 'host-newest' ? 'host-newest' : 'host-6.12',
    command: [process.execPath, main, ...args],
    cwd: process.cwd(),
    env: {
      ...inherited(),
      UNPIN_STATE_DIR: '/tmp/unpin-state',
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    },
    memoryMiB: options.memoryMiB ?? 4096,
    onProgress: (stage) => (stage === 'running' ? progress.clear() : progress.show(`test host: ${stage}`)),
  });
  progress.clear();
  return exitCode;
}

function inherited(): Record<string, string> {
  const keep = [
    'HOME',
    'LANG',
    'TERM',
    'COLORTERM',
    'FORCE_COLOR',
    'NO_COLOR',
    'UNPIN_CACHE',
    'XDG_CACHE_HOME',
    'USER',
  ];
  return Object.fromEntries(
    keep.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
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
