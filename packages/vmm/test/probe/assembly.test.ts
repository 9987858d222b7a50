import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { probeCode } from '../../probe/index.ts';
import * as layout from '../../probe/layout.ts';
import { PORT } from '../../src/devices/index.ts';
import { assetPath } from './assets.ts';

const SOURCE = join(import.meta.dirname, '../../probe/probe.asm');
const nasm = assetPath('nasm');

describe('the probe', () => {
  test('in the repository is what its source assembles to', {
    skip: nasm === undefined && 'asset nasm was not fetched to this machine',
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'unpin-probe-'));
    try {
      const output = join(folder, 'probe.bin');
      execFileSync(nasm ?? 'nasm', ['-f', 'bin', '-O2', '-Werror', '-o', output, SOURCE], { timeout: 60_000 });
      assert.ok(readFileSync(output).equals(probeCode()), 'assemble probe.asm again: probe.bin is older');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('and the VMM agree on every address, port, offset and name', () => {
    const source = readFileSync(SOURCE, 'utf8');
    const constants = new Map(
      [...source.matchAll(/^(\w+)\s+equ\s+(0x[0-9a-f]+|\d+)/gm)].map(([, name = '', value = '0']) => [
        name,
        BigInt(value),
      ]),
    );
    const expected: Readonly<Record<string, number | bigint>> = {
      COM1: PORT.com1,
      CONVERSION_PORT: layout.CONVERSION_PORT,
      PROBE_PORT: layout.PROBE_PORT,
      EXIT_PORT: layout.EXIT_PORT,
      COMMAND_EXCHANGE: layout.COMMAND.exchange,
      COMMAND_END: layout.COMMAND.end,
      EXCHANGE: layout.EXCHANGE,
      PAGE: 4096,
      WORDS: 512,
      P_MAGIC: layout.PARAMETER.magic,
      P_FLAVOUR: layout.PARAMETER.flavour,
      P_CHANNEL: layout.PARAMETER.channel,
      P_SHARED: layout.PARAMETER.sharedWindow,
      P_LOW_GPA: layout.PARAMETER.touchLowGpa,
      P_LOW_SIZE: layout.PARAMETER.touchLowSize,
      P_HIGH_GPA: layout.PARAMETER.touchHighGpa,
      P_HIGH_SIZE: layout.PARAMETER.touchHighSize,
      P_PAGES: layout.PARAMETER.exchangePages,
      P_GUEST_SEED: layout.PARAMETER.guestSeed,
      P_HOST_SEED: layout.PARAMETER.hostSeed,
      P_C_BIT: layout.PARAMETER.cBit,
      P_ROUNDS: layout.PARAMETER.rounds,
      P_EXITS: layout.PARAMETER.exits,
      MAGIC: layout.MAGIC,
      ...Object.fromEntries(layout.FLAVOURS.map((name, index) => [`FLAVOUR_${name.toUpperCase()}`, index])),
      ...Object.fromEntries(layout.CHANNELS.map((name, index) => [`CHANNEL_${name.toUpperCase()}`, index])),
      NO_C_BIT: layout.NO_C_BIT,
      HC_MAP_GPA_RANGE: 12,
      TO_SHARED: 0,
      TO_PRIVATE: layout.CONVERT_PRIVATE,
      STEP: layout.PATTERN_STEP,
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(constants.get(name), BigInt(value), name);
    assert.equal(BigInt(/^org (0x[0-9a-f]+)/m.exec(source)?.[1] ?? '0'), BigInt(layout.CODE), 'org');
    for (const flavour of layout.FLAVOURS) assert.match(source, new RegExp(`flavour_names.*"${flavour}"`));
    assert.ok(probeCode().length <= layout.CODE_ROOM);
  });
});
