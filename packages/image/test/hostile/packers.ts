/** A kernel packed in each way that kernels are packed in. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { withSize } from '../synthetic/bz-image.ts';
import { syntheticKernel } from '../synthetic/kernel.ts';
import { pack } from '../tools.ts';

export const PACKERS = ['gzip', 'xz', 'lzma', 'zstd', 'lz4', 'lz4-legacy', 'bzip2', 'lzo'] as const;
export type Packer = (typeof PACKERS)[number];

export function packedBy(packer: Packer): Buffer {
  const vmlinux = syntheticKernel();
  const bytes = packed(packer, vmlinux);
  // What doesn't end with its size gets it from the kernel's build.
  return packer === 'gzip' ? Buffer.from(bytes) : withSize(bytes, vmlinux.length);
}

function packed(packer: Packer, bytes: Buffer): Uint8Array {
  switch (packer) {
    case 'gzip':
      return gzipSync(bytes);
    case 'zstd':
      return zstdCompressSync(bytes);
    case 'xz':
      return pack('xz', ['--check=crc32', '--x86', '--lzma2=dict=1MiB', '-c'], bytes);
    case 'lzma':
      return pack('xz', ['--format=lzma', '-c'], bytes);
    case 'lz4':
      return pack('lz4', ['-BD', '-c'], bytes);
    case 'lz4-legacy':
      return pack('lz4', ['-l', '-c'], bytes);
    case 'bzip2':
      return pack('bzip2', ['-9', '-c'], bytes);
    case 'lzo':
      return pack('lzop', ['-9', '-c'], bytes);
  }
}
