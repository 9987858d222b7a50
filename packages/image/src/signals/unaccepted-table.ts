import type { Evidence } from '@unpin/policy';
import { type SignalInput, structureOccurrences } from './signal.ts';

/** d5d1de3c-105c-44f9-9ea9-bcef98120031, the EFI configuration table of memory that is not yet accepted. */
const GUID = Uint8Array.from(Buffer.from('3cded1d55c10f9449ea9bcef98120031', 'hex'));

/** That the kernel proper looks for that table. (The EFI stub before it has the GUID too, and is not looked at.) */
export function findUnacceptedTable(input: SignalInput): Evidence | undefined {
  const [at] = structureOccurrences(input, GUID);
  if (at === undefined) return undefined;
  const seen = 'EFI table d5d1de3c-105c-44f9-9ea9-bcef98120031';
  return { signal: 'unaccepted-table', where: 'vmlinux', offset: at, seen };
}
