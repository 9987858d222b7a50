import { BARE_MEMORY, BARE_ROOT, BARE_START, LEFT, SELECTORS, SETUP } from './bare-image.ts';
import type { BareMachine } from './bare-machine.ts';
import { QemuMachine, type QemuOptions } from './qemu.ts';
import { emptyRegisters, GPR_NAMES } from './register-file.ts';

/**
 * Puts the image into a QEMU that has run nothing yet, and the processor at its SETUP. After reset the descriptor tables are at
 * linear 0, where the image has its GDT: that is enough for the stub to load CS.
 */
export function enterBareImage(qemu: QemuMachine, image: Uint8Array): void {
  qemu.writeData(0, image);
  const { code, data } = SELECTORS;
  const { cr0, cr3, cr4, efer, stack } = BARE_START;
  const start = emptyRegisters();
  start.gpr[4] = stack;
  const selectors = Uint16Array.of(data, code, data, data, data, data);
  qemu.writeRegs({ ...start, cr0, cr3, cr4, efer, rip: SETUP, selectors });
}

/** Linear address of the HLT in which every exception ends, and how far the setup stub runs. */
const HALT = LEFT - 1n;
const SETUP_INSTRUCTIONS = 5;

/** QEMU's TCG holding a bare image: about a thousand cases a second. */
export class QemuBare implements BareMachine {
  readonly name = 'QEMU';
  readonly #qemu: QemuMachine;
  readonly #gprs: readonly number[];
  readonly #rip: number;
  readonly #cr2: number;
  #raw: Buffer;

  static async start(image: Uint8Array, options: Omit<QemuOptions, 'memoryMiB' | 'mode'>): Promise<QemuBare> {
    const qemu = await QemuMachine.start({ ...options, memoryMiB: Math.max(16, BARE_MEMORY >> 20) });
    try {
      return new QemuBare(qemu, image);
    } catch (error) {
      qemu.close();
      throw error;
    }
  }

  private constructor(qemu: QemuMachine, image: Uint8Array) {
    this.#qemu = qemu;
    enterBareImage(qemu, image);
    qemu.runInstructions(SETUP_INSTRUCTIONS);
    qemu.registers.set('cr3', BARE_ROOT);
    qemu.setBreakpoint(HALT);
    const { registers } = qemu;
    this.#gprs = GPR_NAMES.map((name) => registers.offsetOf(name));
    this.#rip = registers.offsetOf('rip');
    this.#cr2 = registers.offsetOf('cr2');
    this.#raw = registers.readRaw();
  }

  write(address: number, bytes: Uint8Array): void {
    this.#qemu.writeMemory(address, bytes);
  }

  writeData(address: number, bytes: Uint8Array): void {
    this.#qemu.writeData(address, bytes);
  }

  read(address: number, into: Uint8Array): void {
    into.set(this.#qemu.readMemory(address, into.length));
  }

  setGprs(words: Uint32Array): void {
    this.#gprs.forEach((offset, register) => {
      this.#raw.writeUInt32LE(words[2 * register] ?? 0, offset);
      this.#raw.writeUInt32LE(words[2 * register + 1] ?? 0, offset + 4);
    });
  }

  getGprs(words: Uint32Array): void {
    this.#gprs.forEach((offset, register) => {
      words[2 * register] = this.#raw.readUInt32LE(offset);
      words[2 * register + 1] = this.#raw.readUInt32LE(offset + 4);
    });
  }

  cr2(): bigint {
    return this.#raw.readBigUInt64LE(this.#cr2);
  }

  runToHalt(rip: bigint): string | undefined {
    this.#raw.writeBigUInt64LE(rip, this.#rip);
    this.#qemu.registers.writeRaw(this.#raw);
    if (!this.#qemu.go()) return 'QEMU ended';
    this.#raw = this.#qemu.registers.readRaw();
    return this.#raw.readBigUInt64LE(this.#rip) === HALT ? undefined : 'stopped elsewhere';
  }

  close(): void {
    this.#qemu.close();
  }
}
