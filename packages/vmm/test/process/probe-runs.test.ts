import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { Capabilities, TypeCapability } from '@unpin/contract';
import { regimeOf, type VmTypeId, vmType, vmTypes } from '@unpin/policy';
import { queryCapabilities } from '../../src/index.ts';
import { MIB, probeOrder } from '../helpers/orders.ts';
import { noKvm, runOrder } from '../helpers/vmm-process.ts';

let capabilities: Capabilities;

/** The type as this machine has it, or why the test can't be run. */
function here(id: VmTypeId): TypeCapability['ways'][number] | string {
  const found = capabilities.types.find((row) => row.type === id);
  const way = found?.ways.find(({ execution }) => execution !== 'emulated');
  return way ?? `this KVM does not run ${id}: ${found?.obstacles.join('; ') ?? ''}`;
}

describe('the probe guest', { skip: noKvm() }, () => {
  before(async () => {
    capabilities = await queryCapabilities();
  });

  const built = vmTypes().filter((type) => type.runners.some((runner) => runner.built));
  for (const { id, pinning, memoryModel } of built)
    test(`finds nothing wrong on ${id} when it is honest, and is pinned as the type says`, async (t) => {
      const type = here(id);
      if (typeof type === 'string') return t.skip(type);
      const { last, code, stderr } = await runOrder(t, probeOrder(id, type.execution, 'honest'));
      assert.equal(last?.ending?.detail, 'the probe found 0 wrong', stderr);
      assert.equal(code, 0);
      const { report } = last ?? {};
      assert.equal(report?.lies, 0);
      assert.equal(report?.mark, type.execution === 'shaped' ? 'SHAPED' : '');
      assert.equal(report?.confidential, type.execution === 'hardware' && id.startsWith('sev'));
      const { nominal = 0, resident = 0, pinned = 0 } = last?.figures ?? {};
      assert.equal(nominal, 64 * MIB);
      assert.ok(resident >= 16 * MIB && resident <= nominal, `resident ${resident}`);
      if (pinning === 'upfront') assert.equal(pinned, nominal);
      if (pinning === 'none') assert.equal(pinned, 0);
      if (pinning === 'on-fault') assert.ok(pinned >= 16 * MIB && pinned < nominal, `pinned ${pinned}`);
      if (memoryModel === 'guest_memfd' && type.execution === 'shaped') assert.equal(last?.figures?.conversions, 2);
    });

  test('that never reports runs unharmed on sev, whose memory is pinned', async (t) => {
    const type = here('sev');
    if (typeof type === 'string') return t.skip(type);
    const { last } = await runOrder(t, probeOrder('sev', type.execution ?? 'shaped', 'silent'));
    assert.equal(last?.ending?.detail, 'the probe found 0 wrong');
    assert.equal(last?.report?.lies, 0);
  });

  test('that never reports is named on sev-upm, with what hardware would have done', async (t) => {
    const type = here('sev-upm');
    if (typeof type === 'string') return t.skip(type);
    const { last } = await runOrder(t, probeOrder('sev-upm', type.execution ?? 'shaped', 'silent'));
    assert.notEqual(last?.ending?.detail, 'the probe found 0 wrong');
    assert.ok((last?.report?.lies ?? 0) > 0);
    const [lie] = last?.lies ?? [];
    assert.equal(lie?.kind, 'host-use');
    assert.match(lie?.rip ?? '', /^0x10[0-9a-f]{4}$/);
    assert.match(lie?.onHardware ?? '', /shared frame/);
  });

  test('that lies is stopped at the first lie where the order says so', async (t) => {
    const type = here('sev-upm');
    if (typeof type === 'string') return t.skip(type);
    const order = probeOrder('sev-upm', type.execution ?? 'shaped', 'lying', { onLie: 'stop' });
    const { last, code } = await runOrder(t, order);
    assert.equal(last?.ending?.reason, 'lie');
    assert.equal(last?.error?.code, 'GUEST_CRASHED');
    assert.equal(last?.report?.lies, 1);
    assert.notEqual(code, 0);
  });

  for (const [flavour, runsAs, words] of [
    ['honest', 'sev-upm', /^passed/],
    ['silent', 'sev', /^failed: .* without any report; stopped before any I\/O and started again pinned, as sev$/],
  ] as const)
    test(`under probation ends up as ${runsAs} when it is ${flavour}`, async (t) => {
      const type = here('sev-upm');
      if (typeof type === 'string') return t.skip(type);
      const probation = { fallback: 'sev' as const, fallbackRegime: regimeOf(vmType('sev')) };
      const { last } = await runOrder(t, probeOrder('sev-upm', type.execution ?? 'shaped', flavour, { probation }));
      assert.equal(last?.ending?.detail, 'the probe found 0 wrong');
      assert.equal(last?.report?.type, runsAs);
      assert.match(last?.report?.probation ?? '', words);
      assert.equal(last?.figures?.pinned, runsAs === 'sev' ? 64 * MIB : 0);
      assert.equal(last?.report?.lies, 0);
    });

  test('leaves no socket behind', async (t) => {
    const { dir } = await runOrder(t, probeOrder('standard', 'hardware', 'honest'));
    assert.equal(existsSync(join(dir, 'api.sock')) || existsSync(join(dir, 'console.sock')), false);
  });
});
