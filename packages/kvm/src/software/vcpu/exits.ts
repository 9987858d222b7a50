import type {
  HypercallExit,
  InternalErrorExit,
  IoExit,
  MemoryFaultExit,
  MmioExit,
  RdmsrExit,
  VcpuExit,
  WrmsrExit,
} from '../../port/exit.ts';
import { EVENTS } from '../../uapi/constants.ts';

/** The exit objects of one vCPU: made once, filled again at each exit. What user space answers is found in them. */

/** Port data lies behind struct kvm_run, in a page of its own. */
const IO_BYTES = 4096;
const WORD = 2 ** 32;

export const HLT: VcpuExit = Object.freeze({ kind: 'hlt' });
export const SHUTDOWN: VcpuExit = Object.freeze({ kind: 'shutdown' });
export const INTR: VcpuExit = Object.freeze({ kind: 'intr' });

export class SoftwareIo implements IoExit {
  readonly kind = 'io';
  direction: 'in' | 'out' = 'out';
  port = 0;
  size: 1 | 2 | 4 = 1;
  count = 1;
  data: Uint8Array;
  readonly #page = new Uint8Array(IO_BYTES);

  constructor() {
    this.data = this.#page.subarray(0, 1);
  }

  load(direction: 'in' | 'out', port: number, size: 1 | 2 | 4, count: number): this {
    this.direction = direction;
    this.port = port;
    this.size = size;
    this.count = count;
    const bytes = size * count;
    if (this.data.length !== bytes) this.data = this.#page.subarray(0, bytes);
    return this;
  }
}

export class SoftwareMmio implements MmioExit {
  readonly kind = 'mmio';
  gpa = 0;
  size = 0;
  isWrite = false;
  data: Uint8Array;
  readonly #bytes = new Uint8Array(8);

  constructor() {
    this.data = this.#bytes;
  }

  load(gpa: number, size: number, isWrite: boolean): this {
    this.gpa = gpa;
    this.size = size;
    this.isWrite = isWrite;
    if (this.data.length !== size) this.data = this.#bytes.subarray(0, size);
    return this;
  }
}

export class SoftwareHypercall implements HypercallExit {
  readonly kind = 'hypercall';
  nr = 0;
  longMode = false;
  /** Halves of six arguments, low first. */
  readonly args = new Uint32Array(12);
  /** Halves of what goes to RAX, unsigned. */
  returnLow = 0;
  returnHigh = 0;

  arg(index: number): number {
    if (index < 0 || index > 5) throw new RangeError(`a hypercall has arguments 0 to 5, not ${index}`);
    return (this.args[index * 2 + 1] ?? 0) * WORD + (this.args[index * 2] ?? 0);
  }

  setReturn(value: number): void {
    this.returnLow = value >>> 0;
    this.returnHigh = Math.floor(value / WORD) >>> 0;
  }
}

export class SoftwareMemoryFault implements MemoryFaultExit {
  readonly kind = 'memory-fault';
  errno = 0;
  isPrivate = false;
  gpa = 0;
  size = 4096;

  load(errno: number, gpa: number, isPrivate: boolean): this {
    this.errno = errno;
    this.gpa = gpa;
    this.isPrivate = isPrivate;
    return this;
  }
}

export class SoftwareRdmsr implements RdmsrExit {
  readonly kind = 'rdmsr';
  index = 0;
  why = 0;
  isRefused = false;
  high = 0;
  low = 0;

  load(index: number, why: number): this {
    this.index = index;
    this.why = why;
    this.isRefused = false;
    this.high = 0;
    this.low = 0;
    return this;
  }

  complete(high: number, low: number): void {
    this.isRefused = false;
    this.high = high >>> 0;
    this.low = low >>> 0;
  }

  refuse(): void {
    this.isRefused = true;
  }
}

export class SoftwareWrmsr implements WrmsrExit {
  readonly kind = 'wrmsr';
  index = 0;
  why = 0;
  high = 0;
  low = 0;
  isRefused = false;

  load(index: number, why: number, high: number, low: number): this {
    this.index = index;
    this.why = why;
    this.high = high;
    this.low = low;
    this.isRefused = false;
    return this;
  }

  complete(): void {
    this.isRefused = false;
  }

  refuse(): void {
    this.isRefused = true;
  }
}

/** KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES. */
const HAS_INSTRUCTION = 1;

/**
 * KVM can't do an instruction: suberror "emulation" with the instruction's bytes, laid out as in struct kvm_run: flags,
 * then the count and up to 15 bytes.
 */
export function emulationFailed(instruction: Uint8Array): InternalErrorExit {
  const words = new Uint8Array(16);
  words[0] = Math.min(instruction.length, 15);
  words.set(instruction.subarray(0, 15), 1);
  const view = new DataView(words.buffer);
  const hex = (offset: number): string => view.getBigUint64(offset, true).toString(16);
  const data = instruction.length === 0 ? ['0'] : [HAS_INSTRUCTION.toString(16), hex(0), hex(8)];
  return { kind: 'internal-error', suberror: EVENTS.KVM_INTERNAL_ERROR_EMULATION, data };
}
