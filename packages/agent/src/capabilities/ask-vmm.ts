import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Capabilities, UnpinError } from '@unpin/contract';
import { check } from '@unpin/contract/check';

/** Milliseconds: the VMM runs small guests to find out, on KVMs that may be slow. */
const MOST_MS = 120_000;

/** What this machine can run, as the VMM program finds by asking it. FILE_NOT_FOUND where there is none. */
export async function askCapabilities(vmm: string, signal: AbortSignal): Promise<Capabilities> {
  if (!existsSync(vmm)) throw new UnpinError('FILE_NOT_FOUND', { subject: vmm, needed: 'the VMM program' });
  const text = await run(vmm, signal);
  const checked = check(Capabilities, json(text));
  if (checked.ok) return checked.value;
  throw new UnpinError('INTERNAL', { subject: `${vmm} --capabilities`, found: checked.problem });
}

function run(vmm: string, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const args = [vmm, '--capabilities', '--json'];
  execFile(process.execPath, args, { timeout: MOST_MS, maxBuffer: 4 * 1_048_576, signal }, (error, stdout, stderr) => {
    if (error === null) resolve(stdout);
    else
      reject(
        new UnpinError('INTERNAL', {
          subject: `${vmm} --capabilities`,
          found: stderr.trim().slice(-500) || error.message,
          cause: error,
        }),
      );
  });
  return promise;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
