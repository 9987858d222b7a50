import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  type AssetId,
  assetPath,
  findAsset,
  type HostKernel,
  keptCode,
  startTestHost,
  TEST_HOST_ASSETS,
} from '@unpin/test-host';
import type { BootCase } from './cases.ts';
import type { CaseResult, DriverInput } from './driver.ts';

/** Why the cases can't be run on this machine, or false. */
export function missingFor(host: HostKernel, cases: readonly BootCase[]): string | false {
  const needed: AssetId[] = [...TEST_HOST_ASSETS, host, 'initrd-shell', ...cases.map((c) => c.kernel)];
  const missing = [...new Set(needed)].filter((id) => findAsset(id) === undefined);
  return missing.length === 0 ? false : `needs ${missing.join(', ')}: unpin test-host fetch`;
}

/** Runs all cases in one test host; the results in the order of the cases. */
export async function runInTestHost(host: HostKernel, cases: readonly BootCase[]): Promise<readonly CaseResult[]> {
  const input: DriverInput = {
    cases: cases.map((bootCase) => ({ ...bootCase, kernelFile: assetPath(bootCase.kernel) })),
    initrd: assetPath('initrd-shell'),
    atOnce: 2,
  };
  const kept = keptCode();
  const stdout = new PassThrough();
  const results: CaseResult[] = [];
  createInterface({ input: stdout }).on('line', (line) => results.push(JSON.parse(line) as CaseResult));
  await startTestHost({
    kernel: host,
    command: [process.execPath, fileURLToPath(new URL('./driver.ts', import.meta.url)), JSON.stringify(input)],
    env: { ...process.env, ...kept.env },
    writable: kept.writable,
    memoryMiB: 4096,
    stdin: 'ignore',
    stdout,
    timeoutMs: 1_500_000,
  });
  return results.sort((a, b) => a.index - b.index);
}
