/** Where two runs of one case differ, undefined flags and what makers leave open aside. */
import type { Outcome } from './batch.ts';
import { type CpuState, GPR_NAMES } from './cpu-state.ts';
import { STATUS_FLAGS } from './flags.ts';
import { FX, STATE } from './layout.ts';
import type { Layout } from './sequence.ts';

export interface Difference {
  /** A register's name, `vector`, `error`, `address`, `rip`, `rflags`, `memory`. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

export interface CompareOptions {
  /** Leave MXCSR's six exception flags out: for an engine that doesn't keep them. Default false. */
  readonly ignoreMxcsrStatus?: boolean;
}

/** RFLAGS up to ID, without RF, which a fault's frame sets and no instruction sees. */
const FLAGS_COMPARED = 0x3e_ffff;
/** x87 status but C0, C2, C3, which FILD and FISTP leave undefined. */
const X87_STATUS = 0xffff & ~0x4500;
const MXCSR_STATUS = 0x3f;

/** First the state, then memory; empty when nothing differs. `data`: what the second run left in data memory. */
export function compare(
  layout: Layout,
  expected: Outcome,
  expectedData: Uint8Array,
  actual: CpuState,
  data: Uint8Array,
  options: CompareOptions = {},
): Difference[] {
  const differences: Difference[] = [];
  const add = (field: string, want: bigint | number, got: bigint | number): void => {
    if (want !== got) differences.push({ field, expected: hex(want), actual: hex(got) });
  };
  const want = expected.state;
  if (!sameWords(want, actual, 0, STATE.rflags / 4)) {
    for (let i = 0; i < 16; i++) add(GPR_NAMES[i] ?? '', want.gpr(i), actual.gpr(i));
  }
  add('vector', want.wordAt(STATE.vector), actual.wordAt(STATE.vector));
  const present = hiddenPresent(want);
  add('error', want.wordAt(STATE.error) | present, actual.wordAt(STATE.error) | present);
  for (const field of ['address', 'rip'] as const) {
    const at = STATE[field] / 4;
    if (!sameWords(want, actual, at, at + 2)) add(field, want.quad(STATE[field]), actual.quad(STATE[field]));
  }
  const flags = FLAGS_COMPARED & ~unsureAt(layout, want);
  add('rflags', want.wordAt(STATE.rflags) & flags, actual.wordAt(STATE.rflags) & flags);
  compareFx(want, actual, options, add);
  const memory = differingMemory(expectedData, data);
  if (memory !== undefined) differences.push(memory);
  return differences;
}

/** Linux sets bit 0 of a page fault's error code above user addresses (from TASK_SIZE on), to hide what is mapped there. */
function hiddenPresent(want: CpuState): number {
  return want.wordAt(STATE.vector) === 14 && want.quad(STATE.address) >= 0x7fff_ffff_f000n ? 1 : 0;
}

/** 16 bits of the FXSAVE image. */
function half(state: CpuState, offset: number): number {
  return (state.wordAt(STATE.fx + (offset & ~3)) >>> (8 * (offset & 3))) & 0xffff;
}

/** Flags that the case leaves undefined where it ended. Anywhere but at an instruction of it: all six. */
function unsureAt({ starts, unsure }: Layout, state: CpuState): number {
  if (state.wordAt(STATE.rip + 4) !== 0) return STATUS_FLAGS;
  const index = starts.indexOf(state.wordAt(STATE.rip));
  return index < 0 ? STATUS_FLAGS : (unsure[index] ?? 0);
}

function compareFx(
  want: CpuState,
  got: CpuState,
  options: CompareOptions,
  add: (field: string, want: bigint | number, got: bigint | number) => void,
): void {
  const from = STATE.fx / 4;
  if (sameWords(want, got, from, (STATE.fx + FX.rest) / 4)) return;
  add('fcw', half(want, FX.control), half(got, FX.control));
  add('fsw', half(want, FX.status) & X87_STATUS, half(got, FX.status) & X87_STATUS);
  add('ftw', half(want, FX.tag) & 0xff, half(got, FX.tag) & 0xff);
  const mask = options.ignoreMxcsrStatus === true ? ~MXCSR_STATUS : ~0;
  add('mxcsr', (want.wordAt(STATE.fx + FX.mxcsr) & mask) >>> 0, (got.wordAt(STATE.fx + FX.mxcsr) & mask) >>> 0);
  for (let i = 0; i < 8; i++) {
    const at = STATE.fx + FX.registers + 16 * i;
    const value = (state: CpuState): bigint => (BigInt(half(state, at - STATE.fx + 8)) << 64n) | state.quad(at);
    add(`st${i}`, value(want), value(got));
  }
  for (let i = 0; i < 16; i++) {
    const at = STATE.fx + FX.xmm + 16 * i;
    const value = (state: CpuState): bigint => (state.quad(at + 8) << 64n) | state.quad(at);
    add(`xmm${i}`, value(want), value(got));
  }
}

function sameWords(one: CpuState, other: CpuState, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (one.words[i] !== other.words[i]) return false;
  return true;
}

function differingMemory(expected: Uint8Array, actual: Uint8Array): Difference | undefined {
  if (Buffer.compare(expected, actual) === 0) return undefined;
  const at = expected.findIndex((byte, index) => byte !== actual[index]) & ~7;
  const show = (data: Uint8Array): string => `+${hex(at)}: ${Buffer.from(data.subarray(at, at + 32)).toString('hex')}`;
  return { field: 'memory', expected: show(expected), actual: show(actual) };
}

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
