import type { Device } from '../device.ts';

/** Four 32-bit registers: page frame number, count, command, result. */
export const DOORBELL_PORTS = 16;

const REGISTER = { frame: 0, count: 4, command: 8, result: 12 } as const;
const REGISTER_BYTES = 4;
const PAGE_BYTES = 4096;

/** What a guest asks for; `gpa` in bytes, `count` and `command` as the guest wrote them (unsigned 32-bit). */
export interface DoorbellRequest {
  readonly gpa: number;
  readonly count: number;
  readonly command: number;
}

export interface DoorbellState {
  readonly frame: number;
  readonly count: number;
  readonly result: number;
}

/**
 * A way for a guest to ask the VMM something with three 32-bit OUTs and one IN: frame, count, then the command, which
 * rings; the result is what the handler answered (0, or a negative errno). Accesses of another width read as all ones
 * and are dropped.
 */
export class Doorbell implements Device {
  readonly name: string;
  readonly #handle: (request: DoorbellRequest) => number;
  #frame = 0;
  #count = 0;
  #result = 0;

  constructor(name: string, handle: (request: DoorbellRequest) => number) {
    this.name = name;
    this.#handle = handle;
  }

  save(): DoorbellState {
    return { frame: this.#frame, count: this.#count, result: this.#result };
  }

  restore({ frame, count, result }: DoorbellState): void {
    this.#frame = frame;
    this.#count = count;
    this.#result = result;
  }

  read(offset: number, data: Uint8Array): void {
    if (offset === REGISTER.result && data.length === REGISTER_BYTES) viewOf(data).setInt32(0, this.#result, true);
    else data.fill(0xff);
  }

  write(offset: number, data: Uint8Array): void {
    if (data.length !== REGISTER_BYTES) return;
    const value = viewOf(data).getUint32(0, true);
    if (offset === REGISTER.frame) this.#frame = value;
    else if (offset === REGISTER.count) this.#count = value;
    else if (offset === REGISTER.command)
      this.#result = this.#handle({ gpa: this.#frame * PAGE_BYTES, count: this.#count, command: value });
  }
}

function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}
