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
/** Direction, size and port are one word: u8 (KVM_EXIT_IO_IN is 0), u8, u16. */
const IO_PACKED = AT['io.direction'].offset >> 2;
const IO_COUNT = AT['io.count'].offset >> 2;
const IO_OFFSET = AT['io.data_offset'].offset >> 2;
const MMIO_GPA = AT['mmio.phys_addr'].offset >> 2;
const MMIO_IS_WRITE = AT['mmio.is_write'].offset >> 2;
const MMIO_LENGTH = AT['mmio.len'].offset >> 2;

export class LoadedIo implements IoExit {
  readonly kind = 'io';
  direction: 'in' | 'out' = 'out';
  port = 0;
  size: 1 | 2 | 4 = 1;
  count = 1;
  data: Uint8Array;
  readonly #page: RunPage;
  readonly #words: Uint32Array;
  /** The words that the fields were read from: a guest mostly does the same again. */
  #packed = -1;
  #items = 0;
  #offset = 0;

  constructor(page: RunPage) {
    this.#page = page;
    this.#words = page.words;
    this.data = page.part(0, 0);
  }

  load(): this {
    const packed = this.#words[IO_PACKED] ?? 0;
    const count = this.#words[IO_COUNT] ?? 0;
    const offset = this.#words[IO_OFFSET] ?? 0;
    if (packed !== this.#packed || count !== this.#items || offset !== this.#offset) this.#read(packed, count, offset);
    return this;
  }

  #read(packed: number, count: number, offset: number): void {
    this.#packed = packed;
    this.#items = count;
    this.#offset = offset;
    this.direction = (packed & 0xff) === 0 ? 'in' : 'out';
    this.size = ((packed >>> 8) & 0xff) as 1 | 2 | 4;
    this.port = packed >>> 16;
    this.count = count;
    this.data = this.#page.part(offset, this.size * count);
  }
}

export class LoadedMmio implements MmioExit {
  readonly kind = 'mmio';
  gpa = 0;
  size = 0;
  isWrite = false;
  data: Uint8Array;
  readonly #page: RunPage;
  readonly #words: Uint32Array;
  /** The words that the fields were read from: a guest mostly does the same again. */
  #low = 0;
  #high = -1;
  #shape = -1;

  constructor(page: RunPage) {
    this.#page = page;
    this.#words = page.words;
    this.data = page.part(AT['mmio.data'].offset, 0);
  }

  load(): this {
    const low = this.#words[MMIO_GPA] ?? 0;
    const high = this.#words[MMIO_GPA + 1] ?? 0;
    // The length is at most 8; behind is_write lies padding.
    const shape = ((this.#words[MMIO_LENGTH] ?? 0) << 8) | ((this.#words[MMIO_IS_WRITE] ?? 0) & 0xff);
    if (low !== this.#low || high !== this.#high || shape !== this.#shape) this.#read(low, high, shape);
    return this;
  }

  #read(low: number, high: number, shape: number): void {
    this.#low = low;
    this.#high = high;
    this.#shape = shape;
    this.gpa = high * WORD + low;
    this.size = shape >> 8;
    this.isWrite = (shape & 0xff) !== 0;
    if (this.data.length !== this.size) this.data = this.#page.part(AT['mmio.data'].offset, this.size);
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
