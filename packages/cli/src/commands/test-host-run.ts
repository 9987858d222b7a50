import { UnpinError } from '@unpin/contract';
import { HOST_KERNELS, type HostKernel, startTestHost } from '@unpin/test-host';
import type { GlobalOptions } from '../program.ts';
import { progressLine } from '../render/print.ts';
import { parseSize } from '../render/units.ts';

interface Options {
  readonly kernel: string;
  readonly memory: string;
  readonly timeout: number;
}

export async function testHostRun(
  globals: GlobalOptions,
  command: readonly string[],
  options: Options,
): Promise<number> {
  const progress = progressLine(globals.json === true);
  const { exitCode } = await startTestHost({
    kernel: requireHostKernel(options.kernel),
    command,
    memoryMiB: Math.round(parseSize(options.memory, '--memory') / 2 ** 20),
    timeoutMs: options.timeout * 1000,
    onProgress: (stage, detail) =>
      stage === 'running'
        ? progress.clear()
        : progress.show(`test host: ${stage}${detail === '' ? '' : ` (${detail})`}`),
  });
  return exitCode;
}

/** The test host kernel of that name. Throws NOT_FOUND. */
export function requireHostKernel(name: string): HostKernel {
  const found = HOST_KERNELS.find((kernel) => kernel === name);
  if (found === undefined)
    throw new UnpinError('NOT_FOUND', { subject: `test host '${name}'`, needed: `one of ${HOST_KERNELS.join(', ')}` });
  return found;
}
