import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { decodeKallsyms, extractKernel, type SymbolTable } from '@unpin/image/kernel';
import { virtualAddress } from './virtual-address.ts';

/** Where the symbols are; the file's bytes must be those that were judged. */
export interface SymbolSource {
  readonly path: string;
  readonly sha256?: string;
}

/** `name+0x12` for each RIP that was asked for, or undefined. */
export type SymbolAnswer = readonly (string | undefined)[];

const port = parentPort;
if (port !== null) {
  const table = open(workerData as SymbolSource);
  port.on('message', (rips: readonly bigint[]) => port.postMessage(rips.map((rip) => nameOf(table, rip))));
}

/** A file that is another one by now names nothing. */
function open({ path, sha256 }: SymbolSource): SymbolTable | undefined {
  const bytes = readFileSync(path);
  if (sha256 !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256) return undefined;
  return decodeKallsyms(extractKernel(bytes).elf);
}

function nameOf(table: SymbolTable | undefined, rip: bigint): string | undefined {
  const found = table?.symbolAt(virtualAddress(rip));
  return found === undefined ? undefined : `${found.name}+0x${found.offset.toString(16)}`;
}
