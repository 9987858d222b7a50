import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Machine } from './support/machine.ts';

test('a VM is traced through control plane and agent, and who did so is written down', async (t) => {
  const { machine } = await Machine.start(t);
  const { people } = machine;
  await machine.create('web');
  await machine.inState('web', 'running');
  const { trace, since } = await people.startVmTrace({ params: { name: 'web' }, body: { kinds: ['exits', 'faults'] } });
  const params = { name: 'web', trace };
  const page = await people.readVmTrace({ params, query: { since, waitMs: 10 } });
  assert.deepEqual(page.events, [
    { seq: 0, atNs: 0, kind: 'exit', reason: 'io', port: 0x3f8, bytes: 1, direction: 'out', ns: 1500 },
  ]);
  assert.equal((await people.endVmTrace({ params, query: { since: page.next } })).over, 'told');
  await assert.rejects(people.readVmTrace({ params, query: { since: 0 } }), { code: 'NOT_FOUND' });
  const { records } = await people.listAudit({ query: {} });
  const audited = records.find(({ action }) => action === 'vm.trace');
  assert.equal(audited?.subject, 'web');
  assert.deepEqual((audited.detail as { kinds: unknown }).kinds, ['exits', 'faults']);

  const unknown = people.startVmTrace({ params: { name: 'nobody' }, body: { kinds: ['exits'] } });
  await assert.rejects(unknown, { code: 'NOT_FOUND' });
  await people.stopVm({ params: { name: 'web' } });
  await machine.inState('web', 'ended');
  const late = people.startVmTrace({ params: { name: 'web' }, body: { kinds: ['exits'] } });
  await assert.rejects(late, { code: 'CONFLICT' });
});
