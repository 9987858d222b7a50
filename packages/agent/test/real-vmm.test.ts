import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { describe, test } from 'node:test';
import type { CreateVm } from '@unpin/contract';
import { Machine, REAL_VMM } from './support/machine.ts';

function noKvm(): string | false {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return false;
  } catch {
    return 'no /dev/kvm here that may be opened';
  }
}

const vm = (change: Partial<CreateVm>): CreateVm => ({
  name: 'p',
  image: 'probe',
  type: 'sev-upm',
  memoryBytes: 2 ** 26,
  allow: ['hardware', 'shaped'],
  ...change,
});

describe('the probe on this machine, by control plane, agent and VMM', { skip: noKvm() }, () => {
  test('runs as what it was admitted as; silent, it is refused, waived it lies, on probation it ends up pinned', async (t) => {
    const { machine } = await Machine.start(t, REAL_VMM);
    const { people } = machine;
    await Promise.all(['probe', 'probe-silent'].map((name) => machine.judged(name)));
    const { types } = await people.listVmTypes({});
    const offered = types.find(({ regime }) => regime.type === 'sev-upm')?.hosts[0]?.capability;
    if (!offered?.ways.some(({ execution }) => execution === 'shaped')) {
      t.skip(`/dev/kvm here cannot run sev-upm: ${offered?.obstacles.join('; ')}`);
      return;
    }

    await people.createVm({ body: vm({ name: 'honest' }) });
    const honest = await machine.inState('honest', 'ended', 'failed');
    assert.deepEqual([honest.error, honest.ending?.reason, honest.report?.lies], [undefined, 'power-off', 0]);
    assert.ok((honest.figures?.conversions ?? 0) >= 2);
    assert.equal(honest.figures?.pinned, 0);
    assert.ok((honest.figures?.resident ?? 0) < honest.memoryBytes);

    const silent = vm({ image: 'probe-silent' });
    await assert.rejects(people.createVm({ body: silent }), { code: 'ADMISSION_REFUSED' });

    await people.createVm({ body: { ...silent, name: 'waived', waiver: { by: 'ann', reason: 'to see it' } } });
    const waived = await machine.inState('waived', 'ended', 'failed');
    assert.equal(waived.error, undefined);
    assert.ok((waived.report?.lies ?? 0) > 0);

    await people.createVm({ body: { ...silent, name: 'tried', probation: true } });
    const tried = await machine.inState('tried', 'ended', 'failed');
    assert.equal(tried.error, undefined);
    assert.equal(tried.figures?.pinned, tried.memoryBytes);
    assert.match(tried.report?.probation ?? '', /pinned, as sev/);
  });
});
