import { resolve } from 'node:path';
import { UnpinError } from '@unpin/contract';
import { observed } from '@unpin/policy';
import { observationsOf, type Proof, proveImage } from '@unpin/vmm';
import { inspectFile } from '../local/inspect.ts';
import { proofProgress } from '../local/proof-progress.ts';
import type { GlobalOptions } from '../program.ts';
import { print } from '../render/print.ts';
import { proofText } from '../render/proof.ts';
import { parseSize } from '../render/units.ts';
import { verdictText } from '../render/verdict.ts';

interface Options {
  readonly initrd?: string;
  readonly append?: string;
  readonly instructions?: number;
  readonly until?: string;
  readonly guestSeconds?: number;
  readonly memory: string;
  readonly seed?: number;
}

/** Runs an image as `sev` and as `sev-upm` and says whether it lost a byte. */
export async function imageProve(globals: GlobalOptions, kernel: string, options: Options): Promise<number> {
  const { initrd, append, instructions, until, guestSeconds, seed } = options;
  const memoryBytes = parseSize(options.memory, '--memory');
  const limits = {
    ...(instructions === undefined ? {} : { instructions: positive('--instructions', instructions) }),
    ...(guestSeconds === undefined ? {} : { guestSeconds: positive('--guest-seconds', guestSeconds) }),
    ...(seed === undefined ? {} : { seed: seedOf(seed) }),
    ...(until === undefined ? {} : { until }),
  };
  const verdict = await inspectFile(kernel, append === undefined ? {} : { commandLine: append });
  const progress = proofProgress(process.stderr);
  const proof = await proveImage({
    boot: {
      kind: 'linux',
      // The very bytes that were judged.
      kernel: { path: resolve(kernel), sha256: verdict.bootSet.kernel.sha256 },
      ...(initrd === undefined ? {} : { initrd: { path: resolve(initrd) } }),
      ...(append === undefined ? {} : { commandLine: append }),
    },
    memoryBytes,
    onProgress: progress.show,
    ...limits,
  }).finally(progress.clear);
  const after = observed(verdict, observationsOf(proof));
  print(globals.json, { proof, verdict: after }, () => `${proofText(proof)}\n\n${verdictText(after, false)}`);
  return exitOf(proof);
}

/** 0 no divergence, 1 a divergence, 2 it can't be told. */
function exitOf({ outcome }: Proof): number {
  switch (outcome) {
    case 'same':
      return 0;
    case 'diverged':
      return 1;
    case 'unknown':
      return 2;
  }
}

function positive(option: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new UnpinError('USAGE', { subject: option, found: String(value), needed: 'a number above 0' });
}

function seedOf(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw new UnpinError('USAGE', { subject: '--seed', found: String(value), needed: 'a whole number below 2^32' });
}
