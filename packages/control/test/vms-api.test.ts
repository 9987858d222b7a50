import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CreateVm } from '@unpin/contract';
import { errorOf, startWithHost } from './support/control-process.ts';
import { capabilities, GIB, registration } from './support/hosts.ts';
import { rightKernel, silentKernel } from './support/verdicts.ts';

const web = (change: Partial<CreateVm> = {}): CreateVm => ({
  name: 'web',
  image: 'new',
  type: 'sev-upm',
  memoryBytes: GIB,
  allow: ['hardware', 'shaped'],
  ...change,
});

describe('creating VMs', () => {
  test('an admitted VM is placed, stored, given to its host, and marked as what it is', async (t) => {
    const { people, agents, epoch, addJudged } = await startWithHost(t);
    await addJudged('new', rightKernel);
    const vm = await people.createVm({ body: web() });
    assert.deepEqual(
      [vm.host, vm.execution, vm.mark, vm.confidential, vm.state, vm.desired, vm.bootSet],
      ['here', 'shaped', 'SHAPED', false, 'scheduled', 'running', rightKernel.bootSet.digest],
    );
    const work = await agents.watchWork({ params: { host: 'here' }, query: { epoch, since: 0, waitMs: 0 } });
    assert.deepEqual(
      work.vms.map(({ uid, bootSet, decision }) => [uid, bootSet, decision.outcome]),
      [[vm.uid, rightKernel.bootSet.digest, 'may']],
    );
  });

  test('a refusal says everything, and leaves nothing behind but its audit record', async (t) => {
    const { people, addJudged } = await startWithHost(t);
    await addJudged('old', silentKernel);
    const error = await errorOf(people.createVm({ body: web({ image: 'old' }) }));
    assert.equal(error.code, 'ADMISSION_REFUSED');
    assert.match(error.message, /image old as sev-upm: the image does not meet the VM type's needs/);
    assert.match(error.next ?? '', /use --type sev/);
    const decision = error.detail as { outcome: string; alternatives: string[] };
    assert.equal(decision.outcome, 'may-not');
    assert.ok(decision.alternatives.includes('sev') && decision.alternatives.includes('sev-deferred'));
    assert.deepEqual((await people.listVms({})).vms, []);
    const { records } = await people.listAudit({ query: {} });
    const last = records.at(-1);
    assert.deepEqual([last?.action, last?.subject, last?.outcome], ['vm.create', 'web', 'refused']);
    assert.match(JSON.stringify(last?.detail), /ADMISSION_REFUSED/);
  });

  test('with a waiver it is created, and the waiver is in the decision and in the audit log', async (t) => {
    const { people, addJudged } = await startWithHost(t);
    await addJudged('old', silentKernel);
    const vm = await people.createVm({ body: web({ image: 'old', waiver: { by: 'ann', reason: 'to see it lie' } }) });
    assert.equal(vm.decision.outcome, 'waived');
    const { records } = await people.listAudit({ query: {} });
    assert.match(JSON.stringify(records.at(-1)?.detail), /to see it lie/);
  });

  test('on probation it is created with the pinned type to fall back on', async (t) => {
    const { people, addJudged } = await startWithHost(t);
    await addJudged('old', silentKernel);
    const vm = await people.createVm({ body: web({ image: 'old', probation: true }) });
    assert.deepEqual(vm.probation, { fallback: 'sev' });
  });

  test('is not run in shape unless its creator allows it', async (t) => {
    const { people, addJudged } = await startWithHost(t);
    await addJudged('new', rightKernel);
    const { name, image, type, memoryBytes } = web();
    const error = await errorOf(people.createVm({ body: { name, image, type, memoryBytes } }));
    assert.equal(error.code, 'PLACEMENT_FAILED');
    assert.match(error.found ?? '', /here: sev-upm runs shaped there, which is not confidential/);
    assert.equal(error.next, 'allow it with --execution shaped');
  });

  test('requests that make no sense are refused by their own codes', async (t) => {
    const { people, addJudged } = await startWithHost(t);
    await addJudged('new', rightKernel);
    const cases: [Partial<CreateVm>, string][] = [
      [{ memoryBytes: 0 }, 'MEMORY_INVALID'],
      [{ memoryBytes: 3_000_000 }, 'MEMORY_INVALID'],
      [{ memoryBytes: -GIB }, 'MEMORY_INVALID'],
      [{ memoryBytes: 2 ** 60 }, 'MEMORY_INVALID'],
      [{ memoryBytes: 64 * GIB }, 'PLACEMENT_FAILED'],
      [{ type: 'sev-plus' }, 'VM_TYPE_UNKNOWN'],
      [{ type: 'sev-snp' }, 'VM_TYPE_NOT_BUILT'],
      [{ image: 'none' }, 'NOT_FOUND'],
      [{ image: 'probe' }, 'CONFLICT'],
      [{ name: 'Not A Name' }, 'REQUEST_INVALID'],
      [{ type: 'standard', probation: true }, 'REQUEST_INVALID'],
    ];
    for (const [change, code] of cases)
      assert.equal((await errorOf(people.createVm({ body: web(change) }))).code, code, JSON.stringify(change));
    assert.deepEqual((await people.listVms({})).vms, []);
  });

  test('of many who want one name at once, one gets it', async (t) => {
    const { people, addJudged } = await startWithHost(t);
    await addJudged('new', rightKernel);
    const tries = Array.from({ length: 20 }, () =>
      people.createVm({ body: web() }).then(
        () => 'created',
        (e: Error) => e,
      ),
    );
    const outcomes = await Promise.all(tries);
    assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 1);
    assert.equal((await people.listVms({})).vms.length, 1);
  });

  test('of many who want pinned memory at once, as many get it as there is', async (t) => {
    const { people, addJudged } = await startWithHost(t);
    await addJudged('new', rightKernel);
    const tries = Array.from({ length: 12 }, (_, i) =>
      people.createVm({ body: web({ name: `vm-${i}`, type: 'sev', memoryBytes: 4 * GIB }) }).then(
        () => 'created',
        (e: { code: string }) => e.code,
      ),
    );
    const outcomes = await Promise.all(tries);
    assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 4, outcomes.join(' '));
  });

  test('a host that has been taken over by a newer agent does not hear the older one', async (t) => {
    const { people, agents, epoch, addJudged } = await startWithHost(t);
    await addJudged('new', rightKernel);
    const { uid } = await people.createVm({ body: web() });
    await agents.registerHost({ params: { host: 'here' }, body: registration(capabilities()) });
    const late = { params: { host: 'here', uid }, query: { epoch }, body: { uid, state: 'failed' as const } };
    assert.equal((await errorOf(agents.putVmStatus(late))).code, 'CONFLICT');
    assert.equal((await people.getVm({ params: { name: 'web' } })).state, 'scheduled');
  });
});

describe('the end of VMs', () => {
  test('stop is an order to the host; the VM is deleted when the host says that it has ended', async (t) => {
    const { people, agents, epoch, addJudged } = await startWithHost(t);
    await addJudged('new', rightKernel);
    const { uid } = await people.createVm({ body: web() });
    const params = { name: 'web' };
    assert.equal((await errorOf(people.deleteVm({ params }))).code, 'CONFLICT');

    assert.equal((await people.stopVm({ params })).desired, 'stopped');
    const work = await agents.watchWork({ params: { host: 'here' }, query: { epoch, since: 0, waitMs: 0 } });
    assert.deepEqual(
      work.vms.map((vm) => [vm.uid, vm.desired]),
      [[uid, 'stopped']],
    );

    const say = (state: 'ended' | 'running') =>
      agents.putVmStatus({
        params: { host: 'here', uid },
        query: { epoch },
        body: { uid, state, ...(state === 'ended' ? { ending: { reason: 'stopped' } } : {}) },
      });
    await say('ended');
    await say('running');
    const ended = await people.getVm({ params });
    assert.deepEqual([ended.state, ended.ending?.reason], ['ended', 'stopped']);
    const after = await agents.watchWork({ params: { host: 'here' }, query: { epoch, since: 0, waitMs: 0 } });
    assert.deepEqual([after.vms, after.over], [[], [uid]]);

    await people.deleteVm({ params });
    assert.equal((await errorOf(people.getVm({ params }))).code, 'NOT_FOUND');
    assert.equal((await errorOf(people.stopVm({ params }))).code, 'NOT_FOUND');
  });

  test('an image is deleted only when no VM uses it', async (t) => {
    const { people, addJudged } = await startWithHost(t);
    await addJudged('new', rightKernel);
    await people.createVm({ body: web() });
    const error = await errorOf(people.deleteImage({ params: { name: 'new' } }));
    assert.equal(error.code, 'CONFLICT');
    assert.match(error.found ?? '', /web/);
  });
});
