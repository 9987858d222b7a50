import type { Evidence } from '@unpin/policy';
import { ByteReader } from '../byte-reader.ts';
import { type SignalInput, structureOccurrences } from './signal.ts';

/**
 * A row of the kernel's table of interrupt gates (struct idt_data: vector, segment, bits, address), for vector 29: the
 * VMM communication exception of SEV-ES and SNP. Segment 0x10 is the kernel's code; the bits say a present interrupt
 * gate on interrupt stack 5, which only this exception has.
 */
const ROW = Uint8Array.of(29, 0, 0, 0, 0x10, 0, 0, 0, 0x05, 0x8e, 0, 0, 0, 0, 0, 0);
const ADDRESS_SIZE = 8;

export function findVcIdtEntry(input: SignalInput): Evidence | undefined {
  const { image, elf } = input.kernel;
  const reader = new ByteReader(image);
  for (const at of structureOccurrences(input, ROW)) {
    if (!reader.has(at + ROW.length, ADDRESS_SIZE)) continue;
    const handler = reader.u64(at + ROW.length, 'gate address');
    const inside = elf.segments.some(({ vaddr, memsz }) => handler >= vaddr && handler < vaddr + BigInt(memsz));
    if (!inside) continue;
    const name = input.symbols?.symbolAt(handler)?.name ?? `0x${handler.toString(16)}`;
    return { signal: 'vc-idt-entry', where: 'vmlinux', offset: at, seen: `interrupt gate 29 (#VC) leads to ${name}` };
  }
  return undefined;
}
