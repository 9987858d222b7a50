import { layout } from '../../src/index.ts';
import { bytes, type Code } from '../guest/bytes.ts';
import { DATA, Machine } from '../guest/machine.ts';

export { DATA };

/** A 64-bit core with what SSE and x87 tests look at. RDI holds DATA; the code ends in HLT. */
export class VectorMachine {
  readonly machine = new Machine();

  /** 64-bit mode with CR0.NE, CR4.OSFXSR and CR4.OSXMMEXCPT; MXCSR as after RESET, everything masked. */
  load(code: Code): this {
    const { machine } = this;
    machine.long([...code, 0xf4]);
    machine.cpu.set('cr0', machine.cpu.get('cr0') | 0x20n);
    machine.cpu.set('rdi', BigInt(DATA));
    this.control(0x37f);
    this.mxcsr = 0x1f80;
    return this;
  }

  /** Runs to HLT. Answers the vector of the exception that ended the code, -1 for none. */
  run(): number {
    const reason = this.machine.run();
    if (reason !== layout.EXIT_HLT) throw new Error(`the run ended with EXIT ${reason}`);
    return this.machine.handler();
  }

  /** Loads and runs. */
  does(code: Code): number {
    return this.load(code).run();
  }

  get mxcsr(): number {
    return this.machine.word(layout.MXCSR);
  }

  set mxcsr(value: number) {
    this.machine.engine.words[layout.MXCSR / 4] = value;
  }

  /** Sets the x87 control word, with the status word 0. */
  control(value: number): void {
    this.machine.engine.words[layout.FPU_CONTROL / 4] = value;
  }

  get status(): number {
    return this.machine.word(layout.FPU_CONTROL) >>> 16;
  }

  /** XMM`n` as 32 hexadecimal digits, the highest element first. */
  xmm(n: number): string {
    return this.#hex(layout.XMM + 16 * n, 16);
  }

  setXmm(n: number, hex: string): void {
    this.#setHex(layout.XMM + 16 * n, hex.padStart(32, '0'));
  }

  /** Physical x87 register `n`: sign and exponent, then the significand. */
  register(n: number): string {
    return this.#hex(layout.FPU_REGS + 16 * n, 10);
  }

  /** Memory at DATA. */
  put(value: bigint | number, size: 1 | 2 | 4 | 8 = 8, offset = 0): void {
    this.machine.write(DATA + offset, bytes(value, size));
  }

  get memory(): bigint {
    return this.machine.read64(DATA);
  }

  #hex(at: number, size: number): string {
    return Buffer.from(this.machine.engine.memory.buffer, at, size)
      .toReversed()
      .reduce((text, byte) => text + byte.toString(16).padStart(2, '0'), '');
  }

  #setHex(at: number, hex: string): void {
    Buffer.from(this.machine.engine.memory.buffer, at, hex.length / 2).set(Buffer.from(hex, 'hex').toReversed());
  }
}

/** Bytes written in hexadecimal. */
export const hex = (text: string): Code => [...Buffer.from(text.replaceAll(' ', ''), 'hex')];
