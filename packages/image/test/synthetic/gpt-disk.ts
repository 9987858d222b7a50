/** A disk with a GPT, for what sfdisk won't make: sectors of 4096 bytes, entries of other sizes, broken parts. */
import { crc32 } from 'node:zlib';

export interface GptDiskOptions {
  readonly sectorBytes?: number;
  readonly entryBytes?: number;
  readonly sectors?: number;
  /** First and last sector of each partition. */
  readonly partitions: readonly (readonly [first: number, last: number])[];
}

const ENTRIES = 128;

export function gptDisk(options: GptDiskOptions): Buffer {
  const sectorBytes = options.sectorBytes ?? 512;
  const entryBytes = options.entryBytes ?? 128;
  const sectors = options.sectors ?? 400;
  const disk = Buffer.alloc(sectors * sectorBytes);
  const array = Buffer.alloc(ENTRIES * entryBytes);
  const arraySectors = array.length / sectorBytes;
  for (const [index, [first, last]] of options.partitions.entries()) {
    const at = index * entryBytes;
    Buffer.from('0fc63daf-8483-4772-8e79-3d69d8477de4'.replaceAll('-', ''), 'hex').copy(array, at);
    array.fill(index + 1, at + 16, at + 32);
    array.writeBigUInt64LE(BigInt(first), at + 32);
    array.writeBigUInt64LE(BigInt(last), at + 40);
    array.write(`part ${index + 1}`, at + 56, 'utf16le');
  }
  const place = (at: number, other: number, arrayAt: number): void => {
    const header = Buffer.alloc(92);
    header.write('EFI PART');
    header.writeUInt32LE(0x10000, 8);
    header.writeUInt32LE(92, 12);
    header.writeBigUInt64LE(BigInt(at), 24);
    header.writeBigUInt64LE(BigInt(other), 32);
    header.writeBigUInt64LE(BigInt(2 + arraySectors), 40);
    header.writeBigUInt64LE(BigInt(sectors - 2 - arraySectors), 48);
    header.writeBigUInt64LE(BigInt(arrayAt), 72);
    header.writeUInt32LE(ENTRIES, 80);
    header.writeUInt32LE(entryBytes, 84);
    header.writeUInt32LE(crc32(array), 88);
    header.writeUInt32LE(crc32(header), 16);
    header.copy(disk, at * sectorBytes);
    array.copy(disk, arrayAt * sectorBytes);
  };
  place(1, sectors - 1, 2);
  place(sectors - 1, 1, sectors - 1 - arraySectors);
  disk.set([0xee, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], 450);
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}
