import type { Engine } from '@unpin/x86';
import { PAGE_BYTES } from '../../port/guest-memory.ts';
import { ACCESS, type GuestAddressSpace, type PhysicalMemory } from '../memory/index.ts';

const LONGEST_INSTRUCTION = 15;

/** The bytes at RIP as the guest would fetch them, up to the longest instruction; fewer where memory ends. */
export function codeBytes(engine: Engine, space: GuestAddressSpace, memory: PhysicalMemory): Uint8Array {
  const { cpu } = engine;
  const bytes = new Uint8Array(LONGEST_INSTRUCTION);
  const start = BigInt.asUintN(64, cpu.segment('cs').base + cpu.get('rip'));
  for (let at = 0; at < bytes.length; ) {
    const linear = BigInt.asUintN(64, start + BigInt(at));
    const found = engine.translate(cpu.codeBits === 64 ? linear : BigInt.asUintN(32, linear));
    if (found === undefined) return bytes.slice(0, at);
    const inPage = found.gpa % PAGE_BYTES;
    const isEncrypted = found.encrypted || cpu.get('cBitMask') !== 0n;
    const resolved = space.resolve(
      Math.floor(found.gpa / PAGE_BYTES),
      ACCESS.execute | (isEncrypted ? ACCESS.encrypted : 0),
    );
    if (resolved.kind !== 'frame') return bytes.slice(0, at);
    const count = Math.min(PAGE_BYTES - inPage, bytes.length - at);
    const from = resolved.address + inPage;
    bytes.set(memory.all.subarray(from, from + count), at);
    at += count;
  }
  return bytes;
}
