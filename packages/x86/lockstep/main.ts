/**
 * Boots a kernel in QEMU once, recorded, and runs our engine in lockstep with it to the first instruction that differs.
 *
 *   node packages/x86/lockstep/main.ts --kernel FILE [--initrd FILE] [--append TEXT] [--memory MIB] [--entry HEX]
 *        [--record-seconds N] [--window N] [--until N] [--memory-every N] [--log FILE]
 *
 * `--entry`: linear address where both begin (default 100200, where a bzImage's 64-bit code is). `--log`: QEMU's log, made
 * when it isn't there; the other options must be the same for the same log. A serial console costs two stops a character
 * and more: do without. Status 1: they differ.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BootRun, followBoot, narrow, recordBoot } from './boot-run.ts';
import type { Divergence } from './follow.ts';
import { findQemu } from './qemu-program.ts';

const { values } = parseArgs({
  options: {
    kernel: { type: 'string' },
    initrd: { type: 'string' },
    append: { type: 'string', default: 'quiet mitigations=off tsc=reliable nokaslr panic=-1' },
    memory: { type: 'string', default: '256' },
    entry: { type: 'string', default: '100200' },
    'record-seconds': { type: 'string', default: '60' },
    window: { type: 'string', default: '1000000' },
    until: { type: 'string' },
    'memory-every': { type: 'string', default: '0' },
    log: { type: 'string' },
  },
});
if (values.kernel === undefined) throw new RangeError('--kernel FILE');
const folder = mkdtempSync(join(tmpdir(), 'unpin-lockstep-'));
const run: BootRun = {
  program: findQemu(),
  arguments: [
    '-kernel',
    values.kernel,
    ...(values.initrd === undefined ? [] : ['-initrd', values.initrd]),
    '-append',
    values.append,
    '-serial',
    `file:${join(folder, 'console.log')}`,
  ],
  memoryMiB: Number(values.memory),
  log: values.log ?? join(folder, 'replay.log'),
  limitMs: 3_600_000,
};

const log = await recordBoot(run, Number(values['record-seconds']) * 1000);
console.log(`${log.end} instructions recorded, ${log.interrupts.length} interrupts: ${run.log}`);
let shown = performance.now();
const report = await followBoot(run, log, {
  entry: BigInt(`0x${values.entry}`),
  window: Number(values.window),
  memoryEvery: Number(values['memory-every']),
  ...(values.until === undefined ? {} : { until: Number(values.until) }),
  onProgress(position) {
    if (performance.now() - shown < 10_000) return;
    shown = performance.now();
    console.log(`  ${position} the same`);
  },
});
const last = report.ended ? ', behind which QEMU ended' : '';
console.log(`the same up to instruction ${report.position}${last}; ${report.stops} stops; taken from QEMU:`);
for (const [what, count] of report.taken) console.log(`  ${what}: ${count}`);
if (report.flagsDiffered > 0)
  console.log(`  status flags alone differed ${report.flagsDiffered} times (undefined ones?)`);
if (report.divergence !== undefined) {
  process.exitCode = 1;
  show(report.divergence);
  const narrowed = await narrow(run, log, report.divergence);
  if (narrowed === undefined)
    console.log("from QEMU's state it doesn't differ: a stale TLB, stale code, or an MSR of ours");
  else {
    console.log(`narrowed: ${narrowed.instruction ?? 'more than one instruction'}`);
    show(narrowed.divergence);
  }
}

function show({ from, at, why, differences, memory }: Divergence): void {
  console.log(`between instructions ${from} and ${at}: ${why}`);
  for (const { register, leader, ours } of differences) console.log(`  ${register}: QEMU ${leader}, ours ${ours}`);
  if (memory.length > 0) console.log(`  memory at ${memory.map((address) => address.toString(16)).join(' ')}`);
}
