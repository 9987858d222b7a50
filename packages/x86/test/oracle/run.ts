/**
 * Compares the engine (or QEMU) with the host's processor.
 *
 *   node packages/x86/test/oracle/run.ts [--count 100000] [--seed 1] [--from 0] [--families alu,mov] [--against engine|qemu]
 *                                        [--all] [--ignore-mxcsr-status]
 *
 * Stops at the first case that differs, shrunk, with status 1. `--all` goes on and shows one case for each different
 * instruction and field, at the end how many there were of each.
 */
import { parseArgs } from 'node:util';
import { EngineBare } from '../../lockstep/engine-bare.ts';
import { QemuBare } from '../../lockstep/qemu-bare.ts';
import { findQemu } from '../../lockstep/qemu-program.ts';
import { BareRunner, caseImage } from './bare-runner.ts';
import { differ, type Mismatch } from './differ.ts';
import { disassemble } from './disassemble.ts';
import { FAMILIES } from './forms/form.ts';
import { Generator } from './generator.ts';
import { NativeOracle } from './native.ts';
import { describeMismatch } from './report.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    families: { type: 'string' },
    against: { type: 'string', default: 'engine' },
    all: { type: 'boolean', default: false },
    'ignore-mxcsr-status': { type: 'boolean', default: false },
  },
});

const wanted = values.families?.split(',');
const families = wanted === undefined ? undefined : FAMILIES.filter((family) => wanted.includes(family));
if (families !== undefined && families.length !== wanted?.length)
  throw new RangeError(`families: ${FAMILIES.join(', ')}`);
const generator = new Generator({ seed: Number(values.seed), ...(families === undefined ? {} : { families }) });
const machine =
  values.against === 'qemu' ? await QemuBare.start(caseImage(), { program: findQemu() }) : new EngineBare(caseImage());
const native = new NativeOracle(generator.background());
const kinds = new Map<string, number>();

/** The last instruction of the shrunk case, and what differs first. */
function kind({ shrunk, differences }: Mismatch): string {
  const last = disassemble(shrunk.layout.code, 0).at(-1) ?? '';
  const [first] = differences;
  const how = first?.field === 'vector' ? `vector ${first.expected}/${first.actual}` : (first?.field ?? '');
  return `${last.slice(26).trim().split(' ')[0]} ${/^(xmm|st|r)\d+$|^r..$/.test(how) ? 'register' : how}`;
}

const began = performance.now();
try {
  const report = await differ({
    generator,
    native,
    runner: new BareRunner(machine),
    from: Number(values.from),
    count: Number(values.count),
    ignoreMxcsrStatus: values['ignore-mxcsr-status'],
    onMismatch(mismatch) {
      const name = kind(mismatch);
      const before = kinds.get(name) ?? 0;
      kinds.set(name, before + 1);
      if (before === 0) console.log(`${describeMismatch(mismatch)}\n`);
      return values.all;
    },
  });
  const seconds = (performance.now() - began) / 1000;
  console.log(`${report.compared} cases compared in ${seconds.toFixed(1)} s, ${report.runaways} without end`);
  for (const [vector, count] of report.vectors) console.log(`  ended in exception ${vector}: ${count}`);
  for (const [why, count] of report.unsupported) console.log(`  not compared, ${why}: ${count}`);
  for (const [name, count] of kinds) console.log(`  DIFFERS ${name}: ${count}`);
  process.exitCode = report.mismatch === undefined ? 0 : 1;
} finally {
  native.close();
  machine.close();
}
