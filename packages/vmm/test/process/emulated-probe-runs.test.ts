import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import type { Capabilities, LaunchOrder } from '@unpin/contract';
import { regimeOf, type VmTypeId, vmType, vmTypes } from '@unpin/policy';
import type { Flavour } from '../../probe/layout.ts';
import { queryCapabilities } from '../../src/index.ts';
import { MIB, probeOrder } from '../helpers/orders.ts';
import { runOrder } from '../helpers/vmm-process.ts';

/** Where the probe's pages are: two that it exchanges with the host, and their neighbours (probe/layout.ts). */
const EXCHANGED = 0x18_0000;
const FIRST_BEHIND = 0x18_2000;
const SECOND_BEHIND = 0x18_3000;

async function run(t: TestContext, type: VmTypeId, flavour: Flavour, more: Partial<LaunchOrder> = {}) {
  const { last, code, stderr } = await runOrder(t, probeOrder(type, 'emulated', flavour, more));
  assert.ok(last?.report !== undefined, stderr);
  return { code, report: last.report, ending: last.ending, figures: last.figures, lies: last.lies ?? [] };
}

/** The probe says on its console what it found, and its count in its ending. */
const found = (wrong: number) => `the probe found ${wrong} wrong`;

describe('the probe guest on the software KVM', () => {
  let capabilities: Capabilities;

  before(async () => {
    capabilities = await queryCapabilities();
  });

  const built = vmTypes().filter(({ runners }) =>
    runners.some((runner) => runner.built && runner.execution === 'emulated'),
  );
  for (const { id, tech, pinning, memoryModel, conversions } of built)
    test(`finds nothing wrong on ${id} when it is honest, and is pinned as the type says`, async (t) => {
      const ways = capabilities.types.find((row) => row.type === id)?.ways ?? [];
      assert.ok(
        ways.some(({ execution }) => execution === 'emulated'),
        'offered on any machine',
      );
      const { code, report, ending, figures } = await run(t, id, 'honest');
      assert.equal(ending?.detail, found(0));
      assert.equal(code, 0);
      assert.equal(report.mark, 'EMULATED');
      assert.equal(report.confidential, false);
      assert.deepEqual([report.lies, report.wrongViewAccesses], [0, 0]);
      const { nominal = 0, resident = 0, pinned = 0, unmovable = 0 } = figures ?? {};
      assert.equal(nominal, 64 * MIB);
      if (pinning === 'upfront') assert.deepEqual([pinned, resident], [nominal, nominal]);
      else assert.ok(resident >= 16 * MIB && resident < 24 * MIB, `${resident} resident`);
      if (pinning === 'none') assert.equal(pinned, 0);
      if (pinning === 'on-fault') assert.ok(pinned >= 16 * MIB && pinned <= resident, `${pinned} pinned`);
      // A software-protected guest begins with shared memory.
      if (memoryModel === 'guest_memfd' && tech !== 'sw-protected')
        assert.ok(unmovable >= 16 * MIB, `${unmovable} unmovable`);
      if (conversions === 'hypercall') assert.equal(figures?.conversions, 2);
    });

  test('that never reports runs unharmed on sev, whose memory is pinned', async (t) => {
    const { ending, report } = await run(t, 'sev', 'silent');
    assert.equal(ending?.detail, found(0));
    assert.equal(report.lies, 0);
  });

  test('that never reports is corrupted silently on sev-upm, and what it and the host consume is named', async (t) => {
    const { ending, report, lies } = await run(t, 'sev-upm', 'silent');
    assert.equal(ending?.reason, 'power-off', 'nothing stopped it');
    assert.notEqual(ending?.detail, found(0));
    assert.ok(report.wrongViewAccesses >= 2, `${report.wrongViewAccesses} accesses through the wrong view`);
    const [use, read] = lies;
    assert.deepEqual([use?.kind, use?.hostUse, use?.gpa], ['host-use', 'virtqueue', EXCHANGED]);
    assert.deepEqual([read?.kind, read?.view, read?.gpa], ['consumed-other-view', 'private', EXCHANGED]);
    assert.match(read?.onHardware ?? '', /plaintext of the shared write decrypted/);
    for (const lie of lies) assert.match(lie.rip, /^0x10[0-9a-f]{4}$/, 'by the probe’s code');
  });

  test('that uses pages otherwise than it reported is named, page by page', async (t) => {
    const { ending, lies } = await run(t, 'sev-upm', 'lying');
    assert.equal(ending?.detail, found(1), 'its neighbours');
    assert.deepEqual(
      lies.map(({ kind, gpa, view }) => [kind, gpa, view]),
      [
        ['consumed-other-view', SECOND_BEHIND, 'shared'],
        ['consumed-discarded', FIRST_BEHIND, 'private'],
      ],
    );
  });

  test('that reports a page too many of an unaligned range loses it, and the page is named (CVE-2023-53996)', async (t) => {
    const { ending, lies } = await run(t, 'sev-upm', 'misreporting');
    assert.equal(ending?.detail, found(1), 'its neighbours');
    assert.deepEqual(
      lies.map(({ kind, gpa, view }) => [kind, gpa, view]),
      [['consumed-discarded', FIRST_BEHIND, 'private']],
    );
    assert.match(lies[0]?.onHardware ?? '', /given back at the conversion/);
  });

  test('that reports a page too many runs unharmed on sev', async (t) => {
    const { ending, report } = await run(t, 'sev', 'misreporting');
    assert.deepEqual([ending?.detail, report.lies], [found(0), 0]);
  });

  test('is stopped at its first lie, before it consumes anything, where the order says so', async (t) => {
    const { code, ending, report } = await run(t, 'sev-upm', 'misreporting', { onLie: 'stop' });
    assert.equal(ending?.reason, 'lie');
    assert.match(ending?.detail ?? '', /^consumed-discarded of GPA 0x182000: /);
    assert.equal(report.lies, 1);
    assert.notEqual(code, 0);
  });

  for (const [flavour, runsAs, words] of [
    ['honest', 'sev-upm', /^passed/],
    ['silent', 'sev', /^failed: .* without any report; stopped before any I\/O and started again pinned, as sev$/],
  ] as const)
    test(`under probation ends up as ${runsAs} when it is ${flavour}`, async (t) => {
      const probation = { fallback: 'sev' as const, fallbackRegime: regimeOf(vmType('sev')) };
      const { report, ending, figures } = await run(t, 'sev-upm', flavour, { probation });
      assert.equal(ending?.detail, found(0));
      assert.equal(report.type, runsAs);
      assert.match(report.probation ?? '', words);
      assert.equal(figures?.pinned, runsAs === 'sev' ? 64 * MIB : 0);
    });
});
