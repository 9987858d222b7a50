import type { U64Words } from '../../irq/index.ts';
import { give, type KeptMsr, type MsrAnswer, type MsrBank } from './msr-bank.ts';

const CAPABILITIES = 0xfe;
const DEFAULT_TYPE = 0x2ff;
const VARIABLE_FIRST = 0x200;
const VARIABLE_COUNT = 8;
/** 64 KiB, two of 16 KiB, eight of 4 KiB. */
const FIXED = [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f];
/** Eight variable ranges, fixed ranges, write combining (AMD64 APM 2, 7.7.5). */
const CAPABILITY_BITS = VARIABLE_COUNT | (1 << 8) | (1 << 10);
/** E, FE and the type. */
const DEFAULT_TYPE_KNOWN = 0xcff;
/** Of a mask, bits 10:0 are reserved; of a base, bits 11:8. */
const MASK_RESERVED = 0x7ff;
const BASE_RESERVED = 0xf00;

const MEMORY_TYPE_MSRS = [
  ...Array.from({ length: VARIABLE_COUNT * 2 }, (_, at) => VARIABLE_FIRST + at),
  ...FIXED,
  DEFAULT_TYPE,
];

/**
 * The MTRRs. They are kept and change nothing: all memory here is coherent, whatever type a guest gives it. Reserved
 * bits and types are refused as KVM does.
 */
export class MemoryTypeMsrs implements MsrBank {
  readonly #physicalBits: () => number;
  /** Two halves each, low first. */
  readonly #values = new Map<number, Uint32Array>();

  constructor(physicalBits: () => number) {
    this.#physicalBits = physicalBits;
    for (const index of MEMORY_TYPE_MSRS) this.#values.set(index, new Uint32Array(2));
  }

  read(index: number, into: U64Words): MsrAnswer {
    if (index === CAPABILITIES) return give(into, 0, CAPABILITY_BITS);
    const value = this.#values.get(index);
    return value === undefined ? 'unknown' : give(into, value[1] ?? 0, value[0] ?? 0);
  }

  write(index: number, high: number, low: number): MsrAnswer {
    if (index === CAPABILITIES) return 'refused';
    const value = this.#values.get(index);
    if (value === undefined) return 'unknown';
    if (!this.#isPossible(index, high, low)) return 'refused';
    value[0] = low;
    value[1] = high;
    return 'done';
  }

  kept(): readonly KeptMsr[] {
    return [...this.#values].map(([index, [low = 0, high = 0]]) => [index, high, low]);
  }

  keep(values: readonly KeptMsr[]): void {
    for (const [index, high, low] of values) this.#values.get(index)?.set([low, high]);
  }

  #isPossible(index: number, high: number, low: number): boolean {
    if (index === DEFAULT_TYPE) return high === 0 && (low & ~DEFAULT_TYPE_KNOWN) === 0 && isType(low & 0xff);
    if (index >= VARIABLE_FIRST + VARIABLE_COUNT * 2) return bytesOf(high, low).every(isType);
    if (high >= 2 ** (this.#physicalBits() - 32)) return false;
    const isMask = (index & 1) === 1;
    return isMask ? (low & MASK_RESERVED) === 0 : (low & BASE_RESERVED) === 0 && isType(low & 0xff);
  }
}

/** UC, WC, WT, WP, WB. */
function isType(type: number): boolean {
  return type === 0 || type === 1 || (type >= 4 && type <= 6);
}

function bytesOf(high: number, low: number): readonly number[] {
  return [0, 8, 16, 24].flatMap((shift) => [(low >>> shift) & 0xff, (high >>> shift) & 0xff]);
}
