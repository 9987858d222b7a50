/**
 * Code as a kernel runs it, made up: many functions of some forty instructions that save registers, walk structures, test,
 * branch both ways and call one another, called in an order without a pattern.
 */

/** Where what is generated lies; linear addresses. */
export const CODE = 0x10_0000;
export const DATA = 0x80_0000;
export const DATA_BYTES = 0x10_0000;
export const STACK = 0xa0_0000;
const ORDER = 0xb0_0000;
/** Calls in one round of the order. */
const ORDER_LENGTH = 16_384;

export interface Program {
  readonly entry: number;
  readonly parts: readonly { readonly at: number; readonly bytes: Uint8Array }[];
}

const [RAX, RCX, RDX, RBX, , RBP, RSI, RDI] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
/** What functions may overwrite. RDI points into data. */
const SCRATCH = [RAX, RCX, RDX, RSI] as const;
const SAVED = [RBX, RBP] as const;

/** xorshift32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

class Writer {
  readonly bytes: number[] = [];
  readonly #at: number;

  constructor(at: number) {
    this.#at = at;
  }

  get here(): number {
    return this.#at + this.bytes.length;
  }

  put(...bytes: number[]): void {
    this.bytes.push(...bytes);
  }

  dword(value: number): void {
    this.put(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff);
  }

  /** ModRM for [base + disp8]. */
  memory(reg: number, base: number, displacement: number): void {
    this.put(0x40 | (reg << 3) | base, displacement & 0xff);
  }

  registers(reg: number, rm: number): void {
    this.put(0xc0 | (reg << 3) | rm);
  }

  call(target: number): void {
    this.put(0xe8);
    this.dword(target - (this.here + 4));
  }
}

/**
 * `functions` of them, in layers: each calls functions of the next one, which are known to return. The driver runs
 * through the order for ever.
 */
export function kernelLike(functions: number, seed = 1): Program {
  const random = randomOf(seed * 7919);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const writer = new Writer(CODE);
  const starts: number[] = [];

  const statement = (): void => {
    const a = pick(SCRATCH);
    const b = pick(SCRATCH);
    const disp = 8 * random(14);
    switch (random(20)) {
      case 0:
      case 1:
      case 2: // mov r64, [rdi + disp]
        writer.put(0x48, 0x8b);
        writer.memory(a, RDI, disp);
        break;
      case 3:
      case 4: // mov r32, [rbx + disp]
        writer.put(0x8b);
        writer.memory(a, RBX, disp);
        break;
      case 5:
      case 6: // mov [rdi + disp], r64
        writer.put(0x48, 0x89);
        writer.memory(a, RDI, disp);
        break;
      case 7: // movzx r32, byte [rdi + disp]
        writer.put(0x0f, 0xb6);
        writer.memory(a, RDI, disp);
        break;
      case 8:
      case 9: // mov r64, r64
        writer.put(0x48, 0x89);
        writer.registers(a, b);
        break;
      case 10: // add r64, r64
        writer.put(0x48, 0x01);
        writer.registers(a, b);
        break;
      case 11: // and r32, imm8
        writer.put(0x83);
        writer.registers(4, a);
        writer.put(0x7f);
        break;
      case 12: // lea r64, [rcx + rdx * 8 + disp]
        writer.put(0x48, 0x8d, 0x44 | (a << 3), 0xd1, disp);
        break;
      case 13: // shr r64, imm8
        writer.put(0x48, 0xc1);
        writer.registers(5, a);
        writer.put(1 + random(12));
        break;
      case 14: // xor r32, r32
        writer.put(0x31);
        writer.registers(a, b);
        break;
      case 15: // or r64, [rdi + disp]
        writer.put(0x48, 0x0b);
        writer.memory(a, RDI, disp);
        break;
      case 16: // add qword [rbx + disp], 1
        writer.put(0x48, 0x83);
        writer.memory(0, RBX, disp);
        writer.put(1);
        break;
      case 17: // mov r32, imm32
        writer.put(0xb8 | a);
        writer.dword(random(1 << 20));
        break;
      case 18: // sub r64, imm8
        writer.put(0x48, 0x83);
        writer.registers(5, a);
        writer.put(random(128));
        break;
      default: // movsxd r64, r32
        writer.put(0x48, 0x63);
        writer.registers(a, b);
    }
  };

  /** A comparison and a jump over the next few statements. */
  const branch = (): void => {
    const a = pick(SCRATCH);
    switch (random(6)) {
      case 0:
      case 1: // test r64, r64
        writer.put(0x48, 0x85);
        writer.registers(a, a);
        break;
      case 2: // cmp r32, imm8
        writer.put(0x83);
        writer.registers(7, a);
        writer.put(random(64));
        break;
      case 3: // cmp r64, r64
        writer.put(0x48, 0x39);
        writer.registers(a, pick(SCRATCH));
        break;
      case 4: // cmp dword [rbx + disp], imm8
        writer.put(0x83);
        writer.memory(7, RBX, 8 * random(14));
        writer.put(random(8));
        break;
      default: // test byte [rdi + disp], imm8
        writer.put(0xf6);
        writer.memory(0, RDI, 8 * random(14));
        writer.put(1 << random(8));
    }
    // je jne jb jae jl jge jle jg, of which a memory test knows the first two only for sense: all are legal.
    writer.put(pick([0x74, 0x75, 0x74, 0x75, 0x72, 0x73, 0x7c, 0x7f]), 0);
    const at = writer.bytes.length;
    for (let i = 1 + random(4); i > 0; i--) statement();
    writer.bytes[at - 1] = writer.bytes.length - at;
  };

  const layers = [Math.floor(functions * 0.5), Math.floor(functions * 0.3), functions];
  for (let i = 0; i < functions; i++) {
    while (writer.here % 16 !== 0) writer.put(0x90);
    starts.push(writer.here);
    const layer = i < (layers[0] ?? 0) ? 0 : i < (layers[0] ?? 0) + (layers[1] ?? 0) ? 1 : 2;
    // Saves two registers, makes room, and takes another structure that lies near.
    for (const register of SAVED) writer.put(0x50 | register);
    writer.put(0x48, 0x83, 0xec, 0x10);
    writer.put(0x48, 0x89, 0xfb); // mov rbx, rdi
    writer.put(0x48, 0x81, 0xe7); // and rdi, imm32
    writer.dword(DATA | (DATA_BYTES - 0x1000));
    writer.put(0x48, 0x89, 0xdd); // mov rbp, rbx
    const calls = layer === 0 ? 0 : 1 + random(2);
    for (let block = 0; block < 4; block++) {
      for (let n = 2 + random(3); n > 0; n--) statement();
      branch();
      if (block < calls) {
        const below = layer === 1 ? (layers[0] ?? 1) : (layers[0] ?? 1) + (layers[1] ?? 0);
        writer.call(starts[random(Math.max(1, below))] ?? CODE);
      }
    }
    writer.put(0x48, 0x89, 0xef); // mov rdi, rbp
    writer.put(0x48, 0x83, 0xc4, 0x10);
    for (const register of SAVED.toReversed()) writer.put(0x58 | register);
    writer.put(0xc3);
  }

  while (writer.here % 16 !== 0) writer.put(0x90);
  const entry = writer.here;
  // r12 walks the order; every call gets a structure of its own.
  writer.put(0x49, 0xbc);
  writer.dword(ORDER);
  writer.dword(0);
  writer.put(0x41, 0xbd);
  writer.dword(ORDER_LENGTH);
  const loop = writer.here;
  writer.put(0x49, 0x8b, 0x04, 0x24); // mov rax, [r12]
  writer.put(0x41, 0x8b, 0x7c, 0x24, 0x08); // mov edi, [r12 + 8]
  writer.put(0xff, 0xd0); // call rax
  writer.put(0x49, 0x83, 0xc4, 0x10); // add r12, 16
  writer.put(0x41, 0xff, 0xcd); // dec r13d
  writer.put(0x75, loop - (writer.here + 2)); // jnz
  writer.put(0xe9);
  writer.dword(entry - (writer.here + 4));

  const order = new DataView(new ArrayBuffer(16 * ORDER_LENGTH));
  for (let i = 0; i < ORDER_LENGTH; i++) {
    order.setUint32(16 * i, starts[random(functions)] ?? CODE, true);
    order.setUint32(16 * i + 8, DATA + 64 * random(DATA_BYTES / 64 - 64), true);
  }
  const data = new Uint8Array(DATA_BYTES);
  for (let i = 0; i < DATA_BYTES; i++) data[i] = random(4) === 0 ? random(256) : 0;
  return {
    entry,
    parts: [
      { at: CODE, bytes: Uint8Array.from(writer.bytes) },
      { at: DATA, bytes: data },
      { at: ORDER, bytes: new Uint8Array(order.buffer) },
    ],
  };
}
