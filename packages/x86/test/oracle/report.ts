/** A mismatch in words: how to make it again, the code, what it started with, and where the two ended. */
import { type CpuState, GPR_NAMES } from './cpu-state.ts';
import type { Mismatch } from './differ.ts';
import { disassemble } from './disassemble.ts';
import type { TestCase } from './generator.ts';
import { DATA_BASE, FX, STATE } from './layout.ts';

export function describeMismatch(mismatch: Mismatch): string {
  const { original, shrunk, differences, expected, actual } = mismatch;
  const rows = differences.map(
    (each) => `  ${each.field.padEnd(8)}host ${each.expected}\n          ours ${each.actual}`,
  );
  return [
    `case ${original.index} of seed ${original.seed} differs; again: --seed ${original.seed} --from ${original.index} --count 1`,
    'code:',
    ...code(shrunk),
    'from:',
    ...inputs(shrunk),
    'differences:',
    ...rows,
    'after (host, ours):',
    ...[expected.state, actual].map((state) => `  ${registers(state)}`),
    ...(shrunk.layout.code.length === original.layout.code.length ? [] : ['as generated:', ...code(original)]),
  ].join('\n');
}

function code({ layout }: TestCase): string[] {
  return disassemble(layout.code, layout.starts[0] ?? 0).map((line) => `  ${line}`);
}

function inputs({ state, patches, layout }: TestCase): string[] {
  const text = layout.code.length === 0 ? [] : vectors(state);
  const memory = patches.map(
    ({ offset, bytes }) => `${(DATA_BASE + offset).toString(16)}: ${Buffer.from(bytes).toString('hex')}`,
  );
  return [registers(state), ...text, ...memory].map((line) => `  ${line}`);
}

function registers(state: CpuState): string {
  const named = GPR_NAMES.map((name, index) => [name, state.gpr(index)] as const).filter(([, value]) => value !== 0n);
  const rest = [
    ['rip', state.quad(STATE.rip)],
    ['rflags', state.quad(STATE.rflags)],
  ] as const;
  return [...named, ...rest].map(([name, value]) => `${name}=${value.toString(16)}`).join(' ');
}

function vectors(state: CpuState): string[] {
  return Array.from({ length: 16 }, (_, index) => {
    const at = STATE.fx + FX.xmm + 16 * index;
    const value = (state.quad(at + 8) << 64n) | state.quad(at);
    return value === 0n ? '' : `xmm${index}=${value.toString(16).padStart(32, '0')}`;
  }).filter((line) => line !== '');
}
