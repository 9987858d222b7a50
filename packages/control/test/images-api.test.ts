import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorOf, startWithHost } from './support/control-process.ts';
import { capabilities, registration } from './support/hosts.ts';
import { rightKernel, silentKernel } from './support/verdicts.ts';

describe('images', () => {
  test('wait for a verdict, and get it from an agent only', async (t) => {
    const { people, agents, epoch } = await startWithHost(t);
    const added = await people.addImage({ body: { name: 'a', boot: { kind: 'linux', kernel: '/boot/a' } } });
    assert.deepEqual([added.state, added.verdict], ['inspecting', undefined]);
    const { inspections } = await agents.watchWork({ params: { host: 'here' }, query: { epoch, since: 0, waitMs: 0 } });
    const order = inspections.find(({ name }) => name === 'a');
    assert.deepEqual(order?.boot, { kind: 'linux', kernel: '/boot/a' });
    const put = { params: { host: 'here', image: 'a' }, query: { epoch } };
    await agents.putInspection({ ...put, body: { generation: 1, verdict: rightKernel } });
    // A second answer, and one to another generation, count for nothing.
    await agents.putInspection({ ...put, body: { generation: 1, verdict: silentKernel } });
    await agents.putInspection({ ...put, body: { generation: 2, verdict: silentKernel } });
    const ready = await people.getImage({ params: { name: 'a' } });
    assert.deepEqual([ready.state, ready.host, ready.verdict], ['ready', 'here', rightKernel]);
  });

  test('a failed inspection is kept with its error, and no VM can be made of it', async (t) => {
    const { people, agents, epoch } = await startWithHost(t);
    await people.addImage({ body: { name: 'a', boot: { kind: 'linux', kernel: '/etc/hostname' } } });
    const error = { code: 'NOT_A_KERNEL', message: '/etc/hostname: not a kernel', subject: '/etc/hostname' };
    await agents.putInspection({
      params: { host: 'here', image: 'a' },
      query: { epoch },
      body: { generation: 1, error },
    });
    const image = await people.getImage({ params: { name: 'a' } });
    assert.deepEqual([image.state, image.error], ['failed', error]);
    const refused = await errorOf(people.admit({ body: { image: 'a', type: 'standard' } }));
    assert.deepEqual([refused.code, refused.detail], ['CONFLICT', error]);
  });

  test('an answer that is both verdict and error, or neither, is refused', async (t) => {
    const { agents, epoch } = await startWithHost(t);
    const call = agents.putInspection({
      params: { host: 'here', image: 'probe' },
      query: { epoch },
      body: { generation: 1 },
    });
    assert.equal((await errorOf(call)).code, 'REQUEST_INVALID');
  });

  test('relative paths and names that are taken are refused', async (t) => {
    const { people } = await startWithHost(t);
    const add = (name: string, kernel: string) => people.addImage({ body: { name, boot: { kind: 'linux', kernel } } });
    assert.equal((await errorOf(add('a', 'vmlinuz'))).code, 'REQUEST_INVALID');
    await add('a', '/vmlinuz');
    assert.equal((await errorOf(add('a', '/vmlinuz'))).code, 'ALREADY_EXISTS');
    await people.deleteImage({ params: { name: 'a' } });
    await add('a', '/vmlinuz');
  });

  test('built-in images are there, cannot be deleted, and are judged anew when a host brings another VMM', async (t) => {
    const { people, agents, epoch } = await startWithHost(t);
    const { images } = await people.listImages({});
    assert.deepEqual(
      images.map(({ name, builtIn }) => [name, builtIn]),
      [
        ['probe', true],
        ['probe-lying', true],
        ['probe-silent', true],
      ],
    );
    assert.equal((await errorOf(people.deleteImage({ params: { name: 'probe' } }))).code, 'CONFLICT');
    await agents.putInspection({
      params: { host: 'here', image: 'probe' },
      query: { epoch },
      body: { generation: 1, verdict: rightKernel },
    });
    assert.equal((await people.getImage({ params: { name: 'probe' } })).state, 'ready');
    const other = capabilities();
    other.vmm.version = '0.2.0';
    await agents.registerHost({ params: { host: 'here' }, body: registration(other) });
    assert.equal((await people.getImage({ params: { name: 'probe' } })).state, 'inspecting');
  });
});

describe('admit', () => {
  test('decides with every reason and creates nothing', async (t) => {
    const { people, addJudged } = await startWithHost(t);
    await addJudged('old', silentKernel);
    const decision = await people.admit({ body: { image: 'old', type: 'sev-upm' } });
    assert.equal(decision.outcome, 'may-not');
    assert.deepEqual(
      decision.reasons.map(({ need, outcome }) => [need, outcome]),
      [
        ['sev-guest', 'met'],
        ['reports-conversions', 'unmet'],
        ['reports-correctly', 'unmet'],
      ],
    );
    assert.deepEqual((await people.listVms({})).vms, []);
  });
});
