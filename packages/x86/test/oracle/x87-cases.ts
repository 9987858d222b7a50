/**
 * Single x87 instructions with everything that they depend on chosen at random: control and status word, tags, registers,
 * memory. The state comes from a FXSAVE image in memory, so that each case is FXRSTOR64 [RSI] and the instruction.
 */
import type { Patch } from './case-context.ts';
import { CpuState, RAX, RDI, RSI, RSP } from './cpu-state.ts';
import { CHUNK, CODE_BASE, DATA_BASE, FX, STACK_TOP, STATE } from './layout.ts';
import { Random } from './random.ts';

export interface X87Case {
  readonly name: string;
  readonly state: CpuState;
  readonly code: Uint8Array;
  readonly patches: readonly Patch[];
}

/** Where the instruction's memory operand and the image lie in data memory. */
export const OPERAND = 0x1000;
const IMAGE = 0x1100;
export const OPERAND_BYTES = 128;
const FXRSTOR64_RSI = [0x48, 0x0f, 0xae, 0x0e];

/** ModRM forms: `memory` with RDI, `stack` with a random ST(i), or two bytes as they are. */
type Kind = 'memory' | 'stack' | 'fixed';
type Row = readonly [name: string, kind: Kind, first: number, second: number];

const eight = [0, 1, 2, 3, 4, 5, 6, 7] as const;

const ROWS: readonly Row[] = [
  ...[0xd8, 0xdc, 0xda, 0xde].flatMap((first) =>
    eight.map((reg): Row => [`${first.toString(16)} /${reg} m`, 'memory', first, reg]),
  ),
  // DA and DB with registers are FCMOV, FCOMI and FUCOMI.
  ...[0xd8, 0xdc].flatMap((first) => eight.map((reg): Row => [`${first.toString(16)} /${reg}`, 'stack', first, reg])),
  ...[0, 1, 2, 4, 5, 6, 7].map((reg): Row => [`de /${reg}`, 'stack', 0xde, reg]),
  ...[0, 1, 2, 3].flatMap((reg): Row[] => [
    [`fcmov da /${reg}`, 'stack', 0xda, reg],
    [`fcmov db /${reg}`, 'stack', 0xdb, reg],
  ]),
  ['fucomi', 'stack', 0xdb, 5],
  ['fcomi', 'stack', 0xdb, 6],
  ['fucomip', 'stack', 0xdf, 5],
  ['fcomip', 'stack', 0xdf, 6],
  ...[0, 2, 3, 4, 5, 6, 7].map((reg): Row => [`d9 /${reg} m`, 'memory', 0xd9, reg]),
  ...[0, 2, 3, 5, 7].map((reg): Row => [`db /${reg} m`, 'memory', 0xdb, reg]),
  ...[0, 2, 3, 4, 6, 7].map((reg): Row => [`dd /${reg} m`, 'memory', 0xdd, reg]),
  ...[0, 2, 3, 5, 7].map((reg): Row => [`df /${reg} m`, 'memory', 0xdf, reg]),
  ...[0, 1].map((reg): Row => [`d9 /${reg}`, 'stack', 0xd9, reg]),
  ...[0, 1, 2, 3, 4, 5].map((reg): Row => [`dd /${reg}`, 'stack', 0xdd, reg]),
  ...[0, 1, 2, 3].map((reg): Row => [`df /${reg}`, 'stack', 0xdf, reg]),
  // FCHS FABS FTST FXAM, FLD of constants, FXTRACT FPREM1 FDECSTP FINCSTP FPREM FSQRT FRNDINT FSCALE, FNOP
  ...[
    0xe0, 0xe1, 0xe4, 0xe5, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xfa, 0xfc, 0xfd,
    0xd0,
  ].map((second): Row => [`d9 ${second.toString(16)}`, 'fixed', 0xd9, second]),
  ['fcompp', 'fixed', 0xde, 0xd9],
  ['fucompp', 'fixed', 0xda, 0xe9],
  ['fnstsw ax', 'fixed', 0xdf, 0xe0],
  ['fninit', 'fixed', 0xdb, 0xe3],
  ['fnclex', 'fixed', 0xdb, 0xe2],
  ['fneni', 'fixed', 0xdb, 0xe0],
  ['fwait', 'fixed', 0x9b, 0x90],
  ['emms', 'fixed', 0x0f, 0x77],
];

const HIGH = [0x8000_0000, 0xffff_ffff, 0x8000_0040, 0x8000_0080, 0xffff_ff00] as const;
const LOW = [0, 1, 0x3ff, 0x400, 0x7ff, 0x800, 0xc00, 0xffff_f800, 0xffff_fc00, 0xffff_ffff] as const;
/** Exponents at the edges of the formats that registers are stored in, and of the integers. */
const EDGES = [0, 1, 2, 64, 65, 0x7ffd, 0x7ffe, 0x7fff].concat(
  [-1074, -1023, -1022, -149, -127, -126, 14, 15, 30, 31, 32, 62, 63, 64, 127, 128, 1023, 1024].map((n) => 16383 + n),
);

function putExtended(random: Random, view: DataView, at: number): void {
  let high = random.chance(40) ? random.pick(HIGH) : random.next();
  const low = random.chance(50) ? random.pick(LOW) : random.next();
  const exponent = random.chance(50)
    ? 16383 - 5 + random.below(70)
    : random.chance(50)
      ? random.pick(EDGES)
      : random.below(0x8000);
  // Unnormals and pseudo-denormals seldom: they are all invalid.
  if (exponent !== 0 && random.chance(97)) high |= 0x8000_0000;
  if (exponent === 0 && random.chance(60)) high &= 0x7fff_ffff;
  const isZero = exponent === 0 && random.chance(50);
  view.setUint32(at, isZero ? 0 : low, true);
  view.setUint32(at + 4, isZero ? 0 : high >>> 0, true);
  view.setUint16(at + 8, exponent | (random.below(2) << 15), true);
}

const SINGLES = [0, -0, 1, -1, 1.5, 3, 0.1, 1e-40, 1e-45, 3.4e38, Infinity, -Infinity] as const;
const DOUBLES = [...SINGLES, 1e-310, 5e-324, 1.7e308, 2 ** 63, -(2 ** 63)] as const;

function putOperand(random: Random, view: DataView): void {
  for (let at = 0; at < OPERAND_BYTES; at += 4) view.setUint32(at, random.next(), true);
  switch (random.below(7)) {
    case 0:
      view.setFloat32(0, random.pick(SINGLES), true);
      break;
    case 1:
      view.setFloat64(0, random.pick(DOUBLES), true);
      break;
    case 2:
      putExtended(random, view, 0);
      break;
    case 3:
      view.setInt32(0, random.between(-50, 50), true);
      view.setInt32(4, random.between(-1, 1), true);
      break;
    case 4:
      view.setUint32(
        0,
        (0x7f80_0000 | (random.below(2) << 22) | random.below(256) | (random.below(2) << 31)) >>> 0,
        true,
      );
      break;
    case 5:
      view.setUint32(
        4,
        (0x7ff0_0000 | (random.below(2) << 19) | random.below(256) | (random.below(2) << 31)) >>> 0,
        true,
      );
      break;
    default:
  }
}

function putImage(random: Random, view: DataView): void {
  const precision = random.pick([3, 3, 3, 2, 0]);
  const masks = random.chance(75) ? 0x3f : random.below(64);
  const control = 0x40 | masks | (precision << 8) | (random.below(4) << 10);
  let status = (random.below(8) << 11) | (random.next() & 0x4700) | (random.chance(33) ? random.next() & 0x7f : 0);
  // A pending exception in one case of four: most instructions then only raise it.
  if (random.chance(75)) status &= ~(~control & 0x3f);
  view.setUint16(FX.control, control, true);
  view.setUint16(FX.status, status, true);
  view.setUint8(FX.tag, random.chance(33) ? random.below(256) : random.pick([0xff, 0xff, 0x0f, 0xf0, 0x3c, 0xc3]));
  view.setUint32(FX.mxcsr, 0x1f80, true);
  for (let i = 0; i < 8; i++) putExtended(random, view, FX.registers + 16 * i);
}

/** Case `index` of a seed. */
export function x87Case(seed: number, index: number): X87Case {
  const random = new Random(seed, index);
  const [name, kind, first, second] = random.pick(ROWS);
  const modrm =
    kind === 'memory' ? (second << 3) | 7 : kind === 'stack' ? 0xc0 | (second << 3) | random.below(8) : second;
  const state = new CpuState();
  state.word(STATE.rip, CODE_BASE);
  state.word(STATE.rflags, 0x202 | (random.next() & 0x8d5));
  state.setGpr(RAX, random.next(), random.next());
  state.setGpr(RSP, STACK_TOP, 0);
  state.setGpr(RSI, DATA_BASE + IMAGE, 0);
  state.setGpr(RDI, DATA_BASE + OPERAND, 0);
  const operand = new Uint8Array(OPERAND_BYTES);
  putOperand(random, new DataView(operand.buffer));
  const image = new Uint8Array(512);
  putImage(random, new DataView(image.buffer));
  const patches = [...pieces(operand, OPERAND), ...pieces(image, IMAGE)];
  return { name, state, code: Uint8Array.from([...FXRSTOR64_RSI, first, modrm]), patches };
}

function pieces(bytes: Uint8Array, offset: number): Patch[] {
  return Array.from({ length: bytes.length / CHUNK }, (_, i) => ({
    offset: offset + CHUNK * i,
    bytes: bytes.subarray(CHUNK * i, CHUNK * (i + 1)),
  }));
}
