/** The least that is a 64-bit Linux kernel to an inspector: an ELF file with one segment, which holds a banner. */
export function tinyKernel(version: string): Buffer {
  const banner = `Linux version ${version} (builder@host) (gcc 12.2.0, GNU ld 2.40) #1 SMP Debian ${version}\n\0`;
  const segment = Buffer.alloc(4096);
  segment.write(banner, 256, 'latin1');
  const header = Buffer.alloc(4096);
  header.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(0x100_0000n, 24);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt16LE(64, 58);
  const program = 64;
  header.writeUInt32LE(1, program);
  header.writeUInt32LE(5, program + 4);
  header.writeBigUInt64LE(4096n, program + 8);
  header.writeBigUInt64LE(0xffff_ffff_8100_0000n, program + 16);
  header.writeBigUInt64LE(0x100_0000n, program + 24);
  header.writeBigUInt64LE(4096n, program + 32);
  header.writeBigUInt64LE(4096n, program + 40);
  header.writeBigUInt64LE(4096n, program + 48);
  return Buffer.concat([header, segment]);
}
