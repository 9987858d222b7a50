import { UnpinError } from '@unpin/contract/errors';
import { HOST_KERNELS, type HostKernel } from '../host/options.ts';
import { startTestHost } from '../host/start-test-host.ts';
import { count, parse } from './parse.ts';

export async function runCommand(args: readonly string[]): Promise<number> {
  // Everything after the first `--` is the command's own, options included.
  const separator = args.indexOf('--');
  if (separator < 0) throw new UnpinError('USAGE', { subject: 'run', needed: '-- and a command', next: '--help' });
  const { values } = parse({
    args: args.slice(0, separator),
    options: {
      kernel: { type: 'string', default: 'host-6.12' },
      memory: { type: 'string', default: '2048' },
      cpus: { type: 'string', default: '1' },
      timeout: { type: 'string' },
      writable: { type: 'string', multiple: true, default: [] },
      quiet: { type: 'boolean', default: false },
    },
  });
  const timeout = values.timeout;
  const began = performance.now();
  const { exitCode } = await startTestHost({
    kernel: hostKernel(values.kernel),
    command: args.slice(separator + 1),
    memoryMiB: count('memory', values.memory),
    cpus: count('cpus', values.cpus),
    writable: values.writable,
    ...(timeout === undefined ? {} : { timeoutMs: count('timeout', timeout) * 1000 }),
    onProgress: (stage, detail) => {
      if (values.quiet) return;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      process.stderr.write(`test host: ${seconds} s ${stage}${detail === '' ? '' : ` (${detail})`}\n`);
    },
  });
  return exitCode;
}

function hostKernel(text: string): HostKernel {
  const found = HOST_KERNELS.find((kernel) => kernel === text);
  if (found === undefined)
    throw new UnpinError('USAGE', { subject: '--kernel', found: text, needed: HOST_KERNELS.join(' or ') });
  return found;
}
