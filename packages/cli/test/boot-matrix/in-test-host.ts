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
import { ATTEMPTS, reportDeadHost } from './while-hosts-die.ts';

/** Why the cases can't be run on this machine, or false. */
export function missingFor(host: HostKernel, cases: readonly BootCase[]): string | false {
  const needed: AssetId[] = [...TEST_HOST_ASSETS, host, 'initrd-shell', ...cases.map((c) => c.kernel)];
  const missing = [...new Set(needed)].filter((id) => findAsset(id) === undefined);
  return missing.length === 0 ? false : `needs ${missing.join(', ')}: unpin test-host fetch`;
}

/** Hosts at once, each with one CPU: as many as the machines that run these tests have cores. */
const AT_ONCE = 2;

/** Runs all cases in test hosts; the results in the order of the cases, undefined where no host lived long enough. */
export async function runInTestHost(
  host: HostKernel,
  cases: readonly BootCase[],
): Promise<readonly (CaseResult | undefined)[]> {
  const results: (CaseResult | undefined)[] = cases.map(() => undefined);
  for (let attempt = 0; attempt < ATTEMPTS && results.includes(undefined); attempt++) {
    const open = cases
      .map((bootCase, index) => ({ bootCase, index }))
      .filter(({ index }) => results[index] === undefined);
    const shares = Array.from({ length: AT_ONCE }, (_, n) => open.filter((_, i) => i % AT_ONCE === n));
    await Promise.all(shares.filter((share) => share.length > 0).map((share) => runShare(host, share, results)));
  }
  return results;
}

async function runShare(
  host: HostKernel,
  share: readonly { readonly bootCase: BootCase; readonly index: number }[],
  results: (CaseResult | undefined)[],
): Promise<void> {
  const take = (at: number, result: CaseResult): void => {
    const index = share[at]?.index;
    if (index !== undefined) results[index] = result;
  };
  try {
    await runOnce(
      host,
      share.map(({ bootCase }) => bootCase),
      take,
    );
  } catch (error) {
    if (!reportDeadHost(error)) throw error;
  }
}

async function runOnce(
  host: HostKernel,
  cases: readonly BootCase[],
  take: (at: number, result: CaseResult) => void,
): Promise<void> {
  const input: DriverInput = {
    cases: cases.map((bootCase) => ({ ...bootCase, kernelFile: assetPath(bootCase.kernel) })),
    initrd: assetPath('initrd-shell'),
  };
  const stdout = new PassThrough();
  createInterface({ input: stdout }).on('line', (line) => {
    const result = JSON.parse(line) as CaseResult;
    take(result.index, result);
  });
  await startTestHost({
    kernel: host,
    command: [process.execPath, fileURLToPath(new URL('./driver.ts', import.meta.url)), JSON.stringify(input)],
    env: { ...process.env, ...keptCode() },
    memoryMiB: 2560,
    stdin: 'ignore',
    stdout,
    timeoutMs: 3_000_000,
  });
}
