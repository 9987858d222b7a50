import { u16, u32, u64 } from './little-endian.ts';

export interface BzImageOptions {
  readonly protocol?: number;
  readonly setupSectors?: number;
  readonly loadFlags?: number;
  readonly version?: string;
}

/** A bzImage around a payload: boot sector, setup sectors, header of protocol 2.15, the payload after 64 bytes of code. */
export function bzImage(payload: Uint8Array, options: BzImageOptions = {}): Buffer {
  const { protocol = 0x020f, setupSectors = 3, loadFlags = 1, version = '6.0-test (nobody) #1' } = options;
  const setup = Buffer.alloc((setupSectors + 1) * 512);
  const put = (offset: number, bytes: Buffer): void => {
    bytes.copy(setup, offset);
  };
  setup[0x1f1] = setupSectors;
  put(0x1fe, u16(0xaa55));
  // jmp short over the header, which ends at 0x26c.
  put(0x200, Buffer.of(0xeb, 0x6a));
  setup.write('HdrS', 0x202, 'latin1');
  put(0x206, u16(protocol));
  put(0x20e, u16(0x300 - 0x200));
  setup[0x211] = loadFlags;
  put(0x230, u32(0x200000));
  put(0x236, u16(0x7f));
  put(0x238, u32(2047));
  put(0x248, u32(64, payload.length));
  put(0x258, u64(0x1000000));
  put(0x260, u32(0x400000));
  setup.write(`${version}\0`, 0x300, 'latin1');
  return Buffer.concat([setup, Buffer.alloc(64, 0x90), payload]);
}

/** What the kernel's build does after packing: the unpacked size, in four bytes. */
export function withSize(packed: Uint8Array, size: number): Buffer {
  return Buffer.concat([packed, u32(size)]);
}
