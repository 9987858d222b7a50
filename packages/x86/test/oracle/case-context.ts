/** What a test case starts with, while its sequence is being chosen: registers with their parts to play, and memory. */
import { CpuState, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from './cpu-state.ts';
import type { MemoryOperand } from './encode.ts';
import { CHUNK, DATA_BASE, DATA_SIZE, FX, STACK_TOP, STATE } from './layout.ts';
import type { Random } from './random.ts';
import { double, integer32, integer64, single, vector } from './values.ts';

/** 16 bytes of data memory that differ from the background. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Registers that instructions of the case use by themselves. */
export interface Parts {
  /** RSI and RDI point into the data area, RCX is small. */
  readonly string: boolean;
  /** RDX is small, or RAX's sign. */
  readonly divide: boolean;
  /** RBX points into the data area. */
  readonly table: boolean;
  /** RBP points into the data area. */
  readonly frame: boolean;
}

export class CaseContext {
  readonly random: Random;
  readonly state = new CpuState();
  readonly patches: Patch[] = [];
  /** Registers that instructions leave alone most of the time, so that memory operands stay in the data area. */
  readonly reserved = new Set<number>([RSP]);
  /** Registers that the atom being made must not touch. */
  forbidden: ReadonlySet<number> = new Set();
  readonly #pointers: { readonly register: number; readonly value: number }[] = [];
  readonly #indices: { readonly register: number; readonly value: number }[] = [];
  readonly #pool: (readonly [number, number])[];

  constructor(random: Random, parts: Parts) {
    this.random = random;
    this.#pool = Array.from({ length: 4 }, () => integer64(random));
    for (let register = 0; register < 16; register++) {
      const [low, high] = random.chance(30) ? random.pick(this.#pool) : integer64(random);
      this.state.setGpr(register, low, high);
    }
    this.state.setGpr(RSP, this.#stackPointer(), 0);
    this.#assign(parts);
    this.#flags();
    for (let word = 0; word < 64; word += 4) vector(random, this.state.words, (STATE.fx + FX.xmm) / 4 + word);
  }

  /** A value for an immediate or memory: one that other operands also have, or a new one. */
  value(): readonly [number, number] {
    return this.random.chance(40) ? this.random.pick(this.#pool) : integer64(this.random);
  }

  /** A general register that may be written. `limit` 8 for what no REX prefix reaches. */
  gpr(limit = 16): number {
    for (;;) {
      const register = this.random.below(limit);
      if (this.forbidden.has(register)) continue;
      if (!this.reserved.has(register) || this.random.chance(4)) return register;
    }
  }

  /** A register that holds a small number. */
  index(): number {
    return this.random.pick(this.#indices).register;
  }

  /** A memory operand of so many bytes. Nearly always inside the data area. */
  memory(bytes: number, aligned: boolean): MemoryOperand {
    const { random } = this;
    const wild = random.chance(1);
    const address32 = random.chance(5);
    if (wild) return { ...this.#anyAddress(), address32 };
    const kind = random.below(10);
    if (kind < 3) {
      const target = this.#target(bytes, aligned);
      this.#patch(target);
      const operand = { base: -1, index: -1, scale: 0, displacement: target, displacementBytes: 4 as const, address32 };
      // With a 67 prefix RIP itself is cut to 32 bits, which changes nothing here.
      return kind === 0 ? operand : { ...operand, ripTarget: target };
    }
    const base = kind === 3 ? undefined : random.pick(this.#pointers);
    const index = base === undefined || random.chance(45) ? random.pick(this.#indices) : undefined;
    const scale = index === undefined ? 0 : random.below(4);
    const from = (base?.value ?? 0) + (index?.value ?? 0) * (1 << scale);
    return this.#reach(from, base?.register ?? -1, index?.register ?? -1, scale, bytes, aligned, address32);
  }

  /** A linear address in the data area for so many bytes: aligned, at any byte, across a page, or at the very end. */
  address(bytes: number, aligned: boolean): number {
    const target = this.#target(bytes, aligned);
    this.#patch(target);
    return target;
  }

  /** Any registers and displacement: for LEA, and for faults. */
  #anyAddress(): MemoryOperand {
    const { random } = this;
    const index = random.below(17) - 1;
    return {
      base: random.below(17) - 1,
      index: index === RSP ? -1 : index,
      scale: random.below(4),
      displacement: integer32(random) | 0,
      displacementBytes: 4,
      address32: random.chance(10),
    };
  }

  lea(): MemoryOperand {
    return this.random.chance(60) ? this.#anyAddress() : this.memory(1, false);
  }

  #reach(
    from: number,
    base: number,
    index: number,
    scale: number,
    bytes: number,
    aligned: boolean,
    address32: boolean,
  ): MemoryOperand {
    const { random } = this;
    const operand = { base, index, scale, address32 };
    const isInside = (target: number): boolean => target >= DATA_BASE && target + bytes <= DATA_BASE + DATA_SIZE;
    const isAligned = (target: number): boolean => !aligned || target % bytes === 0;
    if (base >= 0 && random.chance(70)) {
      let displacement = random.chance(25) ? 0 : random.between(-128, 127);
      if (!isAligned(from + displacement)) displacement -= (from + displacement) & (bytes - 1);
      const target = from + displacement;
      const short = displacement === 0 && random.chance(80) ? 0 : 1;
      if (displacement >= -128 && isInside(target) && isAligned(target)) {
        this.#patch(target);
        return { ...operand, displacement, displacementBytes: short };
      }
    }
    const target = this.#target(bytes, aligned);
    this.#patch(target);
    return { ...operand, displacement: target - from, displacementBytes: 4 };
  }

  #target(bytes: number, aligned: boolean): number {
    const { random } = this;
    const size = Math.max(bytes, 1);
    const room = DATA_SIZE - size;
    if (aligned) return DATA_BASE + random.below(DATA_SIZE / size) * size;
    switch (random.below(10)) {
      case 0:
        return DATA_BASE + 0x1000 * random.between(1, 3) - random.between(1, size);
      case 1:
        return DATA_BASE + room + (random.chance(15) ? random.between(1, size) : 0);
      case 2:
      case 3:
        return DATA_BASE + random.below(room);
      default:
        return DATA_BASE + Math.floor(random.below(room) / size) * size;
    }
  }

  #patch(target: number): void {
    const { random } = this;
    const offset = target - DATA_BASE;
    if (offset < 0 || offset > DATA_SIZE - CHUNK || random.chance(25)) return;
    const words = new Uint32Array(CHUNK / 4);
    if (random.chance(50)) vector(random, words, 0);
    else {
      for (let i = 0; i < 4; i += 2) [words[i], words[i + 1]] = this.value();
    }
    if (random.chance(10)) words[0] = single(random);
    if (random.chance(10)) [words[0], words[1]] = double(random);
    this.patches.push({ offset, bytes: new Uint8Array(words.buffer) });
  }

  #assign(parts: Parts): void {
    const { random } = this;
    if (parts.string) {
      for (const register of [RSI, RDI]) this.#point(register, this.#target(8, false));
      this.#reserve(RCX, random.chance(90) ? random.below(12) : random.below(300), 0);
    }
    if (parts.table) this.#point(RBX, DATA_BASE + random.below(DATA_SIZE - 0x100));
    if (parts.frame) this.#point(RBP, this.#stackPointer());
    if (parts.divide && !this.reserved.has(RDX)) {
      const high = random.chance(50) ? (this.state.words[1] ?? 0) >> 31 : random.below(4);
      this.state.setGpr(RDX, high, high < 0 ? 0xffff_ffff : 0);
      this.reserved.add(RDX);
    }
    const free = [3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].filter((register) => !this.reserved.has(register));
    const take = (): number => free.splice(random.below(free.length), 1)[0] ?? RBX;
    for (let i = 0; i < 2; i++)
      this.#point(take(), DATA_BASE + 16 * random.between(0x40, 0x2c0) + (random.chance(20) ? 1 : 0));
    if (random.chance(20)) this.#pointers.push({ register: RSP, value: this.#gprLow(RSP) });
    for (let i = 0; i < 2; i++) {
      const register = take();
      const value = random.between(-64, 64);
      this.#reserve(register, value, value < 0 ? 0xffff_ffff : 0);
      this.#indices.push({ register, value });
    }
  }

  #point(register: number, value: number): void {
    this.#reserve(register, value, 0);
    this.#pointers.push({ register, value });
  }

  #reserve(register: number, low: number, high: number): void {
    this.state.setGpr(register, low, high);
    this.reserved.add(register);
  }

  #gprLow(register: number): number {
    return this.state.words[2 * register] ?? 0;
  }

  #stackPointer(): number {
    const { random } = this;
    return STACK_TOP - 8 * random.below(64) - (random.chance(5) ? random.below(8) : 0);
  }

  /** User mode's flags: IF and the fixed bit 1, DF now and then. */
  #flags(): void {
    const { random } = this;
    this.state.word(STATE.rflags, 0x202 | (random.next() & 0x8d5) | (random.chance(12) ? 0x400 : 0));
  }
}
