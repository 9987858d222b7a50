import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { decodeKallsyms, extractKernel } from '@unpin/image';
import { virtualAddress } from './virtual-address.ts';

export interface SymbolQuestion {
  readonly kernel: { readonly path: string; readonly sha256?: string };
  readonly rips: readonly bigint[];
}

/** `name+0x12` for each RIP, or undefined. */
export type SymbolAnswer = readonly (string | undefined)[];

parentPort?.postMessage(answer(workerData as SymbolQuestion));

/** A file that is another one by now names nothing. */
function answer({ kernel, rips }: SymbolQuestion): SymbolAnswer {
  const bytes = readFileSync(kernel.path);
  if (kernel.sha256 !== undefined && createHash('sha256').update(bytes).digest('hex') !== kernel.sha256) return [];
  const table = decodeKallsyms(extractKernel(bytes).elf);
  if (table === undefined) return [];
  return rips.map((rip) => {
    const found = table.symbolAt(virtualAddress(rip));
    return found === undefined ? undefined : `${found.name}+0x${found.offset.toString(16)}`;
  });
}
