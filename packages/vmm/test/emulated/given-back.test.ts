import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LaunchOrder } from '@unpin/contract';
import { regimeOf, vmType } from '@unpin/policy';
import { MIB } from '../helpers/orders.ts';
import { tinyKernel } from '../helpers/tiny-kernel.ts';
import { orderArguments, startProgram, temporaryDir } from '../helpers/vmm-process.ts';

/** What the guest touches, shares and takes back. */
const BUFFER = 64 * MIB;
const BYTES = 128 * MIB;
const PAGES = BYTES / 4096;
/** Of it: what the process must at least grow or shrink by. The rest is room for its own garbage. */
const MOST = 96 * MIB;
const LIMIT_MS = 300_000;

type Code = readonly number[];
const word = (value: number): Code => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

const code = (...instructions: readonly Code[]): Code => instructions.flat();

/** One word a page: mov edi, BUFFER; mov ecx, PAGES; then mov [rdi], rdi; add rdi, 4096; dec ecx; jnz. */
const TOUCH = code(
  [0xbf, ...word(BUFFER)],
  [0xb9, ...word(PAGES)],
  [0x48, 0x89, 0x3f, 0x48, 0x81, 0xc7, ...word(4096), 0xff, 0xc9, 0x75, 0xf2],
);
/** KVM_HC_MAP_GPA_RANGE by VMMCALL: EAX 12, EBX address, ECX pages, EDX attributes. */
const convert = (attributes: number): Code =>
  code(
    [0xb8, ...word(12)],
    [0xbb, ...word(BUFFER)],
    [0xb9, ...word(PAGES)],
    [0xba, ...word(attributes)],
    [0x0f, 0x01, 0xd9],
  );
const SHARE = convert(0);
const TAKE_BACK = convert(0x10);
/** Prints a letter on COM1, then waits for a byte there: polls the line status register, and takes the byte. */
const say = (letter: string): Code =>
  code(
    [0xb0, letter.charCodeAt(0), 0x66, 0xba, 0xf8, 0x03, 0xee],
    [0x66, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb, 0x66, 0xba, 0xf8, 0x03, 0xec],
  );
const PARK: Code = [0xfa, 0xf4];

/** Bytes that the operating system says a process has in memory. */
function residentBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Rss:\s*(\d+) kB$/m.exec(rollup)?.[1]) * 1024;
}

function order(t: TestContext): LaunchOrder {
  const path = join(temporaryDir(t), 'vmlinux');
  const guest = code(TOUCH, say('A'), SHARE, say('B'), TAKE_BACK, TOUCH, say('C'), SHARE, say('D'), PARK);
  writeFileSync(path, tinyKernel(Uint8Array.from(guest)));
  return {
    contract: 1,
    name: 'given-back',
    type: 'sev-upm',
    regime: regimeOf(vmType('sev-upm')),
    execution: 'emulated',
    memoryBytes: 256 * MIB,
    boot: { kind: 'linux', kernel: { path } },
    timeoutMs: LIMIT_MS,
  };
}

test('what a guest shares, takes back and shares again makes the VMM shrink and grow, as the operating system counts it', async (t) => {
  const { args, dir } = orderArguments(t, order(t));
  const { child, ready, done } = startProgram(args, dir, LIMIT_MS);
  const console = connect((await ready).ready.console);
  t.after(() => console.destroy());
  let heard = '';
  console.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
  });
  const measured: Record<string, number> = {};
  for (const letter of 'ABCD') {
    while (!heard.includes(letter) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(heard.includes(letter), `the guest ended after '${heard}'`);
    measured[letter] = residentBytes(child.pid ?? 0);
    console.write('.');
  }
  const { last } = await done;
  assert.equal(last?.ending?.reason, 'power-off');
  assert.equal(last?.report?.lies, 0);
  const { A = 0, B = 0, C = 0, D = 0 } = measured;
  const told = JSON.stringify(measured);
  assert.ok(A - B > MOST, `sharing gave ${(A - B) / MIB} MiB back: ${told}`);
  assert.ok(C - B > MOST, `using it as private again takes memory: ${told}`);
  assert.ok(C - D > MOST, `sharing it again gave ${(C - D) / MIB} MiB back: ${told}`);
});
