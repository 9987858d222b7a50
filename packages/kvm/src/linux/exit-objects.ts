import type {
  FailEntryExit,
  HypercallExit,
  InternalErrorExit,
  IoExit,
  MemoryFaultExit,
  MmioExit,
  RdmsrExit,
  SystemEventExit,
  WrmsrExit,
} from '../port/exit.ts';
import { KVM_RUN_STRUCT } from '../uapi/run-struct.ts';
import type { RunPage } from './run-page.ts';

/**
 * The exit objects of one vCPU: made once, filled again at each exit, so that the run loop allocates nothing.
 * `load` reads the members of kvm_run that are valid for the reason.
 */
const AT = KVM_RUN_STRUCT.fields;
const WORD = 2 ** 32;

export class LoadedIo implements IoExit {
  readonly kind = 'io';
  direction: 'in' | 'out' = 'out';
  port = 0;
  size: 1 | 2 | 4 = 1;
  count = 1;
  data: Uint8Array;
  readonly #page: RunPage;

  constructor(page: RunPage) {
    this.#page = page;
    this.data = page.part(0, 0);
  }

  load(): this {
    const { bytes, words } = this.#page;
    // direction, size and port are one word: u8, u8, u16. KVM_EXIT_IO_IN is 0.
    const packed = words[AT['io.direction'].offset >> 2] ?? 0;
    this.direction = (packed & 0xff) === 0 ? 'in' : 'out';
    this.size = ((packed >>> 8) & 0xff) as 1 | 2 | 4;
    this.port = packed >>> 16;
    this.count = words[AT['io.count'].offset >> 2] ?? 0;
    const offset = words[AT['io.data_offset'].offset >> 2] ?? 0;
    const length = this.size * this.count;
    // Nearly always the same place and length as before.
    if (this.data.byteOffset !== bytes.byteOffset + offset || this.data.length !== length)
      this.data = this.#page.part(offset, length);
    return this;
  }
}

export class LoadedMmio implements MmioExit {
  readonly kind = 'mmio';
  gpa = 0;
  size = 0;
  isWrite = false;
  data: Uint8Array;
  readonly #page: RunPage;

  constructor(page: RunPage) {
    this.#page = page;
    this.data = page.part(AT['mmio.data'].offset, 0);
  }

  load(): this {
    const { words, bytes } = this.#page;
    this.gpa = this.#page.wide(AT['mmio.phys_addr'].offset);
    this.size = words[AT['mmio.len'].offset >> 2] ?? 0;
    this.isWrite = bytes[AT['mmio.is_write'].offset] !== 0;
    if (this.data.length !== this.size) this.data = this.#page.part(AT['mmio.data'].offset, this.size);
    return this;
  }
}

export class LoadedHypercall implements HypercallExit {
  readonly kind = 'hypercall';
  nr = 0;
  longMode = false;
  readonly #page: RunPage;

  constructor(page: RunPage) {
    this.#page = page;
  }

  load(): this {
    this.nr = this.#page.wide(AT['hypercall.nr'].offset);
    // The union's `longmode` is its name; newer kernels call the word `flags`, bit 0 the same.
    this.longMode = ((this.#page.words[AT['hypercall.longmode'].offset >> 2] ?? 0) & 1) === 1;
    return this;
  }

  arg(index: number): number {
    if (index < 0 || index > 5) throw new RangeError(`a hypercall has arguments 0 to 5, not ${index}`);
    return this.#page.wide(AT['hypercall.args'].offset + index * 8);
  }

  setReturn(value: number): void {
    const at = AT['hypercall.ret'].offset >> 2;
    this.#page.words[at] = value;
    this.#page.words[at + 1] = Math.floor(value / WORD);
  }
}

export class LoadedMemoryFault implements MemoryFaultExit {
  readonly kind = 'memory-fault';
  errno = 0;
  isPrivate = false;
  gpa = 0;
  size = 0;
  readonly #page: RunPage;

  constructor(page: RunPage) {
    this.#page = page;
  }

  load(errno: number): this {
    this.errno = errno;
    // KVM_MEMORY_EXIT_FLAG_PRIVATE is bit 3.
    this.isPrivate = ((this.#page.words[AT['memory_fault.flags'].offset >> 2] ?? 0) & 8) !== 0;
    this.gpa = this.#page.wide(AT['memory_fault.gpa'].offset);
    this.size = this.#page.wide(AT['memory_fault.size'].offset);
    return this;
  }
}

export class LoadedRdmsr implements RdmsrExit {
  readonly kind = 'rdmsr';
  index = 0;
  why = 0;
  readonly #page: RunPage;

  constructor(page: RunPage) {
    this.#page = page;
  }

  load(): this {
    const { words } = this.#page;
    this.index = words[AT['msr.index'].offset >> 2] ?? 0;
    this.why = words[AT['msr.reason'].offset >> 2] ?? 0;
    return this;
  }

  complete(high: number, low: number): void {
    this.#page.bytes[AT['msr.error'].offset] = 0;
    this.#page.words[AT['msr.data'].offset >> 2] = low;
    this.#page.words[(AT['msr.data'].offset >> 2) + 1] = high;
  }

  refuse(): void {
    this.#page.bytes[AT['msr.error'].offset] = 1;
  }
}

export class LoadedWrmsr implements WrmsrExit {
  readonly kind = 'wrmsr';
  index = 0;
  why = 0;
  high = 0;
  low = 0;
  readonly #page: RunPage;

  constructor(page: RunPage) {
    this.#page = page;
  }

  load(): this {
    const { words } = this.#page;
    this.index = words[AT['msr.index'].offset >> 2] ?? 0;
    this.why = words[AT['msr.reason'].offset >> 2] ?? 0;
    this.low = words[AT['msr.data'].offset >> 2] ?? 0;
    this.high = words[(AT['msr.data'].offset >> 2) + 1] ?? 0;
    return this;
  }

  complete(): void {
    this.#page.bytes[AT['msr.error'].offset] = 0;
  }

  refuse(): void {
    this.#page.bytes[AT['msr.error'].offset] = 1;
  }
}

export class LoadedSystemEvent implements SystemEventExit {
  readonly kind = 'system-event';
  type = 0;
  readonly #page: RunPage;

  constructor(page: RunPage) {
    this.#page = page;
  }

  load(): this {
    this.type = this.#page.words[AT['system_event.type'].offset >> 2] ?? 0;
    return this;
  }
}

/** Rare and the end of a run: made anew. */
export function failEntry(page: RunPage): FailEntryExit {
  return { kind: 'fail-entry', hardwareReason: page.hex(AT['fail_entry.hardware_entry_failure_reason'].offset) };
}

/** Rare and the end of a run: made anew. */
export function internalError(page: RunPage): InternalErrorExit {
  const suberror = page.words[AT['internal.suberror'].offset >> 2] ?? 0;
  const count = Math.min(page.words[AT['internal.ndata'].offset >> 2] ?? 0, 16);
  const data = Array.from({ length: count }, (_, index) => page.hex(AT['internal.data'].offset + index * 8));
  return { kind: 'internal-error', suberror, data };
}
