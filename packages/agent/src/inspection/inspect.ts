import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ErrorBody, type ImageBoot, UnpinError, VerdictMessage } from '@unpin/contract';
import { check } from '@unpin/contract/check';
import type { Verdict } from '@unpin/policy';
import { probeVerdict } from './probe-verdict.ts';

const MOST_MS = 120_000;
/** MiB of V8 heap; what is unpacked is bounded by the inspector itself. */
const HEAP_MIB = 512;
const CHILD = fileURLToPath(
  new URL(`./inspect-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/**
 * Judges a boot set as it is now. Files are hostile input: they are parsed in a child process with a limit on time and
 * heap. Throws the catalogue's errors for files that are not there, not readable or no kernels.
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
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const args = [`--max-old-space-size=${HEAP_MIB}`, CHILD, JSON.stringify(boot)];
  const limits = { timeout: MOST_MS, maxBuffer: 1_048_576, killSignal: 'SIGKILL', signal } as const;
  execFile(process.execPath, args, limits, (error, stdout, stderr) => {
    if (error === null) resolve(stdout);
    else reject(died(boot.kernel, error, stderr));
  });
  const answer = JSON.parse(await promise) as { readonly verdict?: unknown; readonly error?: ErrorBody };
  if (answer.error !== undefined) throw UnpinError.fromBody(answer.error);
  const checked = check(VerdictMessage, answer.verdict);
  if (checked.ok) return checked.value;
  throw new UnpinError('INTERNAL', { subject: `inspection of ${boot.kernel}`, found: checked.problem });
}

function died(kernel: string, error: Error & { killed?: boolean }, stderr: string): UnpinError {
  return new UnpinError('KERNEL_UNSUPPORTED', {
    subject: kernel,
    found: error.killed === true ? `no verdict within ${MOST_MS / 1000} s` : stderr.trim().slice(-300) || error.message,
    needed: `a kernel that can be inspected in ${MOST_MS / 1000} s and ${HEAP_MIB} MiB`,
    cause: error,
  });
}
