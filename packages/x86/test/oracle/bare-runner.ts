/** Generated cases on a bare machine: ours, QEMU, or anything else that can run bare-image.ts. */
import { bareImage, ENTER, FRAME_IN, FRAME_OUT, FX_IN, FX_OUT, SELECTORS } from '../../lockstep/bare-image.ts';
import type { BareMachine } from '../../lockstep/bare-machine.ts';
import { type CpuState, RSP } from './cpu-state.ts';
import type { CaseRunner, Run } from './differ.ts';
import { CODE_BASE, CODE_SIZE, DATA_BASE, DATA_SIZE, FX, NO_VECTOR, STATE } from './layout.ts';

/** Guest-physical places of the two areas. */
const DATA_AT = 0x10_0000;
const CODE_AT = 0x11_0000;
const HLT = 0xf4;
const FRAME_BYTES = 7 * 8;

/** The image that the cases run in. Code pages are full of INT3, as native.c fills them. */
export function caseImage(): Uint8Array {
  const image = bareImage([
    { linear: DATA_BASE, physical: DATA_AT, bytes: DATA_SIZE, writable: true, executable: false },
    { linear: CODE_BASE, physical: CODE_AT, bytes: CODE_SIZE, writable: false, executable: true },
  ]);
  return image.fill(0xcc, CODE_AT, CODE_AT + CODE_SIZE);
}

export class BareRunner implements CaseRunner {
  readonly #machine: BareMachine;
  readonly #frame = new DataView(new ArrayBuffer(FRAME_BYTES));
  readonly #frameBytes = new Uint8Array(this.#frame.buffer);
  #codeBytes = 0;
  #codeAt = CODE_AT;

  /** The machine is set up with caseImage() and stands behind the image's SETUP. */
  constructor(machine: BareMachine) {
    this.#machine = machine;
  }

  run(run: Run, state: CpuState, data: Uint8Array): string | undefined {
    const machine = this.#machine;
    this.#writeCode(run);
    machine.writeData(DATA_AT, data);
    machine.writeData(FX_IN, state.bytes.subarray(STATE.fx, STATE.fx + 512));
    this.#writeFrame(state);
    machine.setGprs(state.words.subarray(0, 32));
    const refused = machine.runToHalt(ENTER);
    if (refused !== undefined) return refused;
    machine.getGprs(state.words.subarray(0, 32));
    machine.read(DATA_AT, data);
    machine.read(FX_OUT, state.bytes.subarray(STATE.fx, STATE.fx + FX.rest));
    this.#readFrame(state, run);
    return undefined;
  }

  /** The sequence, and behind it the HLT whose #GP ends it. */
  #writeCode({ code, entry }: Run): void {
    const at = CODE_AT + entry - CODE_BASE;
    const from = Math.min(at, this.#codeAt);
    const to = Math.max(at + code.length + 1, this.#codeAt + this.#codeBytes);
    const bytes = new Uint8Array(to - from).fill(0xcc);
    bytes.set(code, at - from);
    bytes[at - from + code.length] = HLT;
    this.#machine.write(from, bytes);
    this.#codeAt = at;
    this.#codeBytes = code.length + 1;
  }

  #writeFrame(state: CpuState): void {
    const put = (index: number, low: number, high: number): void => {
      this.#frame.setUint32(8 * index, low, true);
      this.#frame.setUint32(8 * index + 4, high, true);
    };
    put(0, state.wordAt(STATE.rip), state.wordAt(STATE.rip + 4));
    put(1, SELECTORS.userCode, 0);
    put(2, state.wordAt(STATE.rflags), 0);
    put(3, state.words[2 * RSP] ?? 0, state.words[2 * RSP + 1] ?? 0);
    put(4, SELECTORS.userData, 0);
    this.#machine.writeData(FRAME_IN, this.#frameBytes.subarray(0, 40));
  }

  #readFrame(state: CpuState, { end }: Run): void {
    this.#machine.read(FRAME_OUT, this.#frameBytes);
    const get = (index: number, high = 0): number => this.#frame.getUint32(8 * index + high, true);
    state.word(STATE.rip, get(2));
    state.word(STATE.rip + 4, get(2, 4));
    // RF is set in what a fault pushes, and seen by no instruction.
    state.word(STATE.rflags, get(4) & ~0x1_0000);
    state.word(STATE.rflags + 4, get(4, 4));
    state.setGpr(RSP, get(5), get(5, 4));
    const vector = get(0);
    const atEnd = vector === 13 && get(2) === end && get(2, 4) === 0;
    state.word(STATE.vector, atEnd ? NO_VECTOR : vector);
    state.word(STATE.error, atEnd ? 0 : get(1));
    const address = vector === 14 ? this.#machine.cr2() : 0n;
    state.word(STATE.address, Number(address & 0xffff_ffffn));
    state.word(STATE.address + 4, Number(address >> 32n));
  }
}
