/**
 * Registers of QEMU's stub: what `g` sends, by the description that the stub itself gives (target.xml and the files it
 * includes), so that no order or width is written down here.
 */
import type { GdbClient } from './gdb-client.ts';
import { GPR_NAMES, type RegisterFile, SEGMENT_NAMES } from './register-file.ts';

interface Slot {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

const CONTROL = ['fs_base', 'gs_base', 'k_gs_base', 'cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const;

export class GdbRegisters {
  readonly #client: GdbClient;
  readonly #slots = new Map<string, Slot>();
  readonly #numbers = new Map<string, number>();
  readonly bytes: number;

  constructor(client: GdbClient) {
    this.#client = client;
    let offset = 0;
    for (const { name, bits } of describedRegisters(client)) {
      this.#numbers.set(name, this.#slots.size);
      this.#slots.set(name, { name, offset, bytes: bits / 8 });
      offset += bits / 8;
    }
    this.bytes = offset;
  }

  read(): RegisterFile {
    const raw = this.readRaw();
    const value = (name: string): bigint => {
      const { offset, bytes } = this.#slot(name);
      return bytes === 8 ? raw.readBigUInt64LE(offset) : BigInt(raw.readUInt32LE(offset));
    };
    const piece = (name: string): Uint8Array => {
      const { offset, bytes } = this.#slot(name);
      return raw.subarray(offset, offset + bytes);
    };
    return {
      gpr: BigUint64Array.from(GPR_NAMES, (name) => value(name)),
      rip: value('rip'),
      rflags: Number(value('eflags')),
      xmm: Buffer.concat(Array.from({ length: 16 }, (_, index) => piece(`xmm${index}`))),
      mxcsr: Number(value('mxcsr')),
      x87: {
        control: Number(value('fctrl')),
        status: Number(value('fstat')),
        tag: Number(value('ftag')),
        registers: Array.from({ length: 8 }, (_, index) => piece(`st${index}`)),
      },
      selectors: Uint16Array.from(SEGMENT_NAMES, (name) => Number(value(name))),
      fsBase: value('fs_base'),
      gsBase: value('gs_base'),
      kernelGsBase: value('k_gs_base'),
      cr0: value('cr0'),
      cr2: value('cr2'),
      cr3: value('cr3'),
      cr4: value('cr4'),
      cr8: value('cr8'),
      efer: value('efer'),
    };
  }

  /** One register by the stub's name, from the low bytes of a value. */
  set(name: string, value: bigint): void {
    const { bytes } = this.#slot(name);
    const raw = Buffer.alloc(bytes);
    if (bytes === 8) raw.writeBigUInt64LE(value);
    else raw.writeUInt32LE(Number(value & 0xffff_ffffn));
    this.#client.order(`P${(this.#numbers.get(name) ?? 0).toString(16)}=${raw.toString('hex')}`);
  }

  /**
   * General registers, RIP, RFLAGS, vector and x87 registers, in one packet over what the rest is now. Segments and control
   * registers keep their values: QEMU loads a segment from the guest's own GDT, so that order matters there.
   */
  writeUser(registers: RegisterFile): void {
    const raw = this.readRaw();
    const put = (name: string, value: bigint): void => {
      const { offset, bytes } = this.#slot(name);
      if (bytes === 8) raw.writeBigUInt64LE(value, offset);
      else raw.writeUInt32LE(Number(value & 0xffff_ffffn), offset);
    };
    GPR_NAMES.forEach((name, index) => put(name, registers.gpr[index] ?? 0n));
    put('rip', registers.rip);
    put('eflags', BigInt(registers.rflags));
    put('mxcsr', BigInt(registers.mxcsr));
    put('fctrl', BigInt(registers.x87.control));
    put('fstat', BigInt(registers.x87.status));
    for (let i = 0; i < 16; i++) raw.set(registers.xmm.subarray(16 * i, 16 * i + 16), this.#slot(`xmm${i}`).offset);
    registers.x87.registers.forEach((bytes, index) => raw.set(bytes, this.#slot(`st${index}`).offset));
    this.writeRaw(raw);
  }

  /** Everything as the stub sends it, in which `offsetOf` finds a register. */
  readRaw(): Buffer {
    return Buffer.from(this.#client.ask('g'), 'hex');
  }

  writeRaw(raw: Buffer): void {
    this.#client.order(`G${raw.toString('hex')}`);
  }

  offsetOf(name: string): number {
    return this.#slot(name).offset;
  }

  /** All that the stub can set, in an order that works from any mode: EFER before CR0's paging, GDT descriptors before segments. */
  writeAll(registers: RegisterFile): void {
    const values: Record<(typeof CONTROL)[number], bigint> = {
      fs_base: registers.fsBase,
      gs_base: registers.gsBase,
      k_gs_base: registers.kernelGsBase,
      cr0: registers.cr0,
      cr2: registers.cr2,
      cr3: registers.cr3,
      cr4: registers.cr4,
      cr8: registers.cr8,
      efer: registers.efer,
    };
    for (const name of ['efer', 'cr4', 'cr3', 'cr0', 'cr2', 'cr8'] as const) this.set(name, values[name]);
    SEGMENT_NAMES.forEach((name, index) => this.set(name, BigInt(registers.selectors[index] ?? 0)));
    for (const name of ['fs_base', 'gs_base', 'k_gs_base'] as const) this.set(name, values[name]);
    this.writeUser(registers);
  }

  #slot(name: string): Slot {
    const slot = this.#slots.get(name);
    if (slot === undefined) throw new RangeError(`gdbstub: no register ${name}`);
    return slot;
  }
}

/** In the order of `g`. */
function describedRegisters(client: GdbClient): { name: string; bits: number }[] {
  const target = client.file('features', 'target.xml');
  const files = [...target.matchAll(/<xi:include href="([^"]+)"/g)].map(([, file = '']) =>
    client.file('features', file),
  );
  const text = (target + files.join('')).replaceAll(/<!--.*?-->/gs, '');
  return [...text.matchAll(/<reg\s([^>]*)>/g)].map(([, attributes = '']) => ({
    name: /name="([^"]+)"/.exec(attributes)?.[1] ?? '',
    bits: Number(/bitsize="(\d+)"/.exec(attributes)?.[1] ?? 0),
  }));
}
