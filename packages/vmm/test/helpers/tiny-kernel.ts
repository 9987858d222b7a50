/** Where a tiny kernel is loaded and entered. */
export const TINY_KERNEL_BASE = 0x100_0000;
const HEADERS = 0x1000;

/** An ELF that passes for a Linux kernel (it has a banner) and runs the given code at its entry, and nothing else. */
export function tinyKernel(code: Uint8Array): Uint8Array {
  const banner = Buffer.from('Linux version 6.99.0-test (nobody@nowhere) #1\n\0');
  const size = 0x1000;
  const file = Buffer.alloc(HEADERS + size);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(62, 18); // EM_X86_64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(TINY_KERNEL_BASE), 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  const program = 64;
  file.writeUInt32LE(1, program); // PT_LOAD
  file.writeUInt32LE(7, program + 4);
  file.writeBigUInt64LE(BigInt(HEADERS), program + 8);
  file.writeBigUInt64LE(0xffffffff80000000n + BigInt(TINY_KERNEL_BASE), program + 16);
  file.writeBigUInt64LE(BigInt(TINY_KERNEL_BASE), program + 24);
  file.writeBigUInt64LE(BigInt(size), program + 32);
  file.writeBigUInt64LE(BigInt(size), program + 40);
  file.writeBigUInt64LE(0x1000n, program + 48);
  file.set(code, HEADERS);
  file.set(banner, HEADERS + 0x800);
  return file;
}
