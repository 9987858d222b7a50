import { FX, NO_VECTOR, STATE } from './layout.ts';

export { GPR_NAMES } from '../../lockstep/register-file.ts';

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;

/** Records are made many at a time: an ArrayBuffer each would cost more than what is done with it. */
const SLAB = 64;
let slab = new ArrayBuffer(0);
let slabUsed = SLAB;

/** What a processor holds before and after a test case: one record of STATE.bytes, seen as words or bytes. */
export class CpuState {
  readonly bytes: Uint8Array;
  /** The record as 32-bit words: register n is words[2n] (low half) and words[2n + 1]. */
  readonly words: Uint32Array;

  /** A fresh record: no vector, vector and x87 units reset, all else zero. */
  constructor();
  /** A record that is somewhere already, 4-aligned. */
  constructor(buffer: ArrayBufferLike, offset: number);
  constructor(buffer?: ArrayBufferLike, offset = 0) {
    if (buffer !== undefined) {
      this.bytes = new Uint8Array(buffer, offset, STATE.bytes);
      this.words = new Uint32Array(buffer, offset, STATE.bytes / 4);
      return;
    }
    if (slabUsed === SLAB) {
      slab = new ArrayBuffer(SLAB * STATE.bytes);
      slabUsed = 0;
    }
    const at = slabUsed++ * STATE.bytes;
    this.bytes = new Uint8Array(slab, at, STATE.bytes);
    this.words = new Uint32Array(slab, at, STATE.bytes / 4);
    this.word(STATE.vector, NO_VECTOR);
    this.resetFx();
  }

  /** As FNINIT and a reset MXCSR leave it, registers zero. */
  resetFx(): void {
    this.bytes.fill(0, STATE.fx);
    this.word(STATE.fx + FX.control, 0x37f);
    this.word(STATE.fx + FX.mxcsr, 0x1f80);
  }

  /** Sets the 32-bit word at a byte offset. */
  word(offset: number, value: number): void {
    this.words[offset >> 2] = value;
  }

  wordAt(offset: number): number {
    return this.words[offset >> 2] ?? 0;
  }

  /** Sets a general register from the two halves of its value. */
  setGpr(register: number, low: number, high: number): void {
    this.words[2 * register] = low;
    this.words[2 * register + 1] = high;
  }

  gpr(register: number): bigint {
    return this.quad(STATE.gpr + 8 * register);
  }

  /** The 64-bit word at a byte offset. */
  quad(offset: number): bigint {
    return (BigInt(this.wordAt(offset + 4)) << 32n) | BigInt(this.wordAt(offset));
  }

  copyFrom(other: CpuState): void {
    this.bytes.set(other.bytes);
  }
}
