import { execFile } from 'node:child_process';
import type { Capabilities } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import { vmmProgram } from '../program-file.ts';

/** Longest wait, in milliseconds: a small guest is run to find out, on machines that may be slow. */
const LIMIT_MS = 120_000;

/**
 * What this machine can run, as the VMM program says.
 * @throws UnpinError VMM_DIED where the program gives no answer
 */
export async function queryCapabilities(): Promise<Capabilities> {
  return await new Promise<Capabilities>((resolve, reject) => {
    const args = [vmmProgram(), '--capabilities', '--json'];
    execFile(process.execPath, args, { timeout: LIMIT_MS, maxBuffer: 1 << 22 }, (cause, stdout, stderr) => {
      try {
        if (cause !== null) throw cause;
        resolve(JSON.parse(stdout) as Capabilities);
      } catch (problem) {
        const found = stderr.trim().slice(-500) || (problem instanceof Error ? problem.message : String(problem));
        reject(new UnpinError('VMM_DIED', { subject: 'unpin-vmm --capabilities', found, cause: problem }));
      }
    });
  });
}
