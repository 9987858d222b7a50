import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { LaunchOrder } from '@unpin/contract';
import { assetProgram } from '../../image/test/assets.ts';
import { farewell, runningVms } from '../src/index.ts';
import { processOf } from '../src/vms/processes.ts';
import { Machine } from './support/machine.ts';
import { makeDisk } from './support/make-disk.ts';
import { tinyKernel } from './support/tiny-kernel.ts';

const params = { name: 'web' };

describe('a VM', () => {
  test('is started by its host, runs, answers through the control plane, is stopped and deleted', async (t) => {
    const { machine } = await Machine.start(t);
    await machine.create('web');
    const vm = await machine.inState('web', 'running');
    assert.ok(vm.live);
    const pid = vm.report?.pid ?? 0;
    assert.notEqual(processOf(pid), undefined);
    assert.deepEqual((await machine.people.listVmEvents({ params, query: {} })).events[0]?.what, 'started');
    assert.equal((await machine.people.listVmConversions({ params, query: {} })).total, 0);

    await machine.people.stopVm({ params });
    const ended = await machine.inState('web', 'ended');
    assert.deepEqual([ended.ending?.reason, ended.figures?.resident], ['stopped', 4096]);
    assert.equal(processOf(pid), undefined);
    assert.equal((await machine.people.listVmEvents({ params, query: {} })).events[0]?.what, 'started');

    const dir = join(machine.stateDir, 'vms', vm.uid);
    assert.ok(existsSync(dir));
    await machine.people.deleteVm({ params });
    await machine.once(async () => (existsSync(dir) ? undefined : true));
  });

  test('that ends by itself is reported with its end and its figures, and not started again', async (t) => {
    const { machine, agent } = await Machine.start(t);
    await machine.create('quick');
    const vm = await machine.inState('quick', 'ended');
    assert.deepEqual([vm.ending?.reason, vm.report?.state, vm.error], ['power-off', 'ended', undefined]);
    await agent.end('SIGTERM');
    await machine.startAgent();
    await machine.create('web');
    await machine.inState('web', 'running');
    assert.equal((await machine.people.getVm({ params: { name: 'quick' } })).state, 'ended');
    assert.deepEqual(
      runningVms(machine.stateDir).map(({ name }) => name),
      ['web'],
    );
  });

  test('whose VMM dies is failed, with its last words', async (t) => {
    const { machine } = await Machine.start(t);
    await machine.create('dies');
    const { error } = await machine.inState('dies', 'failed');
    assert.equal(error?.code, 'VMM_DIED');
    assert.match(error?.found ?? '', /assertion failed/);
  });

  test('whose VMM is killed is failed', async (t) => {
    const { machine } = await Machine.start(t);
    await machine.create('web');
    const { report } = await machine.inState('web', 'running');
    process.kill(report?.pid ?? 0, 'SIGKILL');
    assert.equal((await machine.inState('web', 'failed')).error?.code, 'VMM_DIED');
  });

  test('that is to stop before it was started never starts', async (t) => {
    const machine = await Machine.prepare(t);
    await machine.startControl();
    const agent = await machine.startAgent();
    await machine.judged('probe');
    await agent.end('SIGKILL');
    await machine.create('web');
    await machine.people.stopVm({ params });
    await machine.startAgent();
    const vm = await machine.inState('web', 'ended');
    assert.deepEqual([vm.ending?.reason, vm.report], ['stopped', undefined]);
    assert.ok(!existsSync(join(machine.stateDir, 'vms', vm.uid, 'launching')));
  });

  test('of a disk image starts from what was taken out of it, byte for byte', {
    skip: assetProgram('disk-tools', 'mke2fs') === undefined && 'needs disk-tools: unpin test-host fetch',
  }, async (t) => {
    const { machine } = await Machine.start(t);
    const kernel = tinyKernel('6.12.0-test');
    const path = join(machine.dir, 'disk.raw');
    makeDisk(path, machine.dir, { 'boot/vmlinuz-6.12.0-test': kernel });
    await machine.people.addImage({ body: { name: 'disk', boot: { kind: 'disk', path } } });
    const image = await machine.judged('disk');
    assert.deepEqual([image.state, image.error], ['ready', undefined]);
    assert.match(image.verdict?.bootSet.kernel.name ?? '', /\(ext4\) \/boot\/vmlinuz-6\.12\.0-test$/);
    const { uid } = await machine.create('quick', 'disk');
    await machine.inState('quick', 'ended');
    const boot = join(machine.stateDir, 'vms', uid, 'boot');
    assert.deepEqual(readFileSync(join(boot, 'kernel')), kernel);
    const order = JSON.parse(readFileSync(join(machine.stateDir, 'vms', uid, 'order.json'), 'utf8')) as LaunchOrder;
    assert.equal(order.boot.kind === 'linux' && order.boot.kernel.path, join(boot, 'kernel'));
    // Another kernel on the same disk is another boot set.
    makeDisk(path, machine.dir, { 'boot/vmlinuz-6.12.0-test': tinyKernel('5.10.0-test') });
    await machine.create('late', 'disk');
    assert.equal((await machine.inState('late', 'failed')).error?.code, 'BOOT_SET_CHANGED');
  });

  test('whose boot set is not the one that was judged is not started', async (t) => {
    const { machine, agent } = await Machine.start(t);
    const kernel = join(machine.dir, 'vmlinuz');
    writeFileSync(kernel, tinyKernel('6.12.0-test'));
    await machine.people.addImage({ body: { name: 'a', boot: { kind: 'linux', kernel } } });
    await machine.judged('a');
    writeFileSync(kernel, tinyKernel('5.10.0-test'));
    const { uid } = await machine.create('web', 'a');
    const vm = await machine.inState('web', 'failed');
    assert.equal(vm.error?.code, 'BOOT_SET_CHANGED');
    assert.ok(!existsSync(join(machine.stateDir, 'vms', uid, 'launching')));
    // The refusal stands, also when the bytes are back and the agent is another one.
    writeFileSync(kernel, tinyKernel('6.12.0-test'));
    await agent.end('SIGKILL');
    await machine.startAgent();
    await machine.create('quick');
    await machine.inState('quick', 'ended');
    assert.equal((await machine.inState('web', 'failed')).error?.code, 'BOOT_SET_CHANGED');
  });
});

describe('a VM outlives its agent', () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const)
    test(`that ends by ${signal}; the next one takes it over and starts nothing twice`, async (t) => {
      const { machine, agent } = await Machine.start(t);
      await machine.create('web');
      const before = await machine.inState('web', 'running');
      const code = await agent.end(signal);
      assert.equal(code, signal === 'SIGTERM' ? 0 : null);
      const survivors = runningVms(machine.stateDir);
      assert.deepEqual(
        survivors.map(({ name, pid }) => [name, pid]),
        [['web', before.report?.pid]],
      );
      assert.match(farewell(survivors).join('\n'), /web \(standard, process \d+\)[^]*unpin vm stop web/);

      await machine.startAgent();
      const after = await machine.once(async () => {
        const vm = await machine.people.getVm({ params });
        return vm.live && vm.state === 'running' ? vm : undefined;
      });
      assert.equal(after.report?.pid, before.report?.pid);
      await machine.people.stopVm({ params });
      assert.equal((await machine.inState('web', 'ended')).ending?.reason, 'stopped');
      assert.deepEqual(runningVms(machine.stateDir), []);
      const output = readFileSync(join(machine.stateDir, 'vms', after.uid, 'vmm.out'), 'utf8');
      assert.equal(output.split('"ready"').length - 1, 1);
    });

  test('and one that dies while no agent looks is told by the next', async (t) => {
    const { machine, agent } = await Machine.start(t);
    await machine.create('web');
    const { report } = await machine.inState('web', 'running');
    await agent.end('SIGKILL');
    process.kill(report?.pid ?? 0, 'SIGKILL');
    await machine.startAgent();
    assert.equal((await machine.inState('web', 'failed')).error?.code, 'VMM_DIED');
  });
});

describe('a VM outlives the control plane', () => {
  test('that is killed and comes back, and obeys it again', async (t) => {
    const { machine, control } = await Machine.start(t);
    await machine.create('web');
    const before = await machine.inState('web', 'running');
    await control.end('SIGKILL');
    await machine.startControl();
    const after = await machine.inState('web', 'running');
    assert.equal(after.uid, before.uid);
    await machine.people.stopVm({ params });
    await machine.inState('web', 'ended');
  });

  test('that comes back with another database: it is shown as a stray, and let be', async (t) => {
    const { machine, control } = await Machine.start(t);
    const { uid } = await machine.create('web');
    await machine.inState('web', 'running');
    await control.end('SIGTERM');
    await machine.startControl('another');
    const host = await machine.once(async () => {
      const { hosts } = await machine.people.listHosts({});
      return hosts.find(({ strays }) => strays.length > 0);
    });
    assert.deepEqual(host.strays, [uid]);
    assert.deepEqual(
      runningVms(machine.stateDir).map((vm) => vm.uid),
      [uid],
    );
  });
});

describe('one agent a host', () => {
  test('a second one on the same state directory is refused', async (t) => {
    const { machine, agent } = await Machine.start(t);
    const second = await machine.startAgent();
    assert.equal(second.said.error?.code, 'CONFLICT');
    assert.match(second.said.error?.found ?? '', /another agent/);
    assert.notEqual(await second.exited, 0);
    assert.notEqual(processOf(agent.pid), undefined);
  });

  test('a newer one of the same name fences the older one, which ends and says so', async (t) => {
    const { machine, agent } = await Machine.start(t);
    const newer = await machine.startAgent(join(machine.dir, 'other'));
    assert.notEqual(newer.said.ready, undefined);
    assert.notEqual(await agent.exited, 0);
    await machine.create('web');
    await machine.inState('web', 'running');
    assert.equal(runningVms(join(machine.dir, 'other')).length, 1);
  });

  test('one whose VMM program cannot say what this machine can run ends with an error', async (t) => {
    const machine = await Machine.prepare(t);
    await machine.startControl();
    const agent = await machine.startAgent(machine.stateDir, join(machine.dir, 'nothing.ts'));
    assert.equal(agent.said.error?.code, 'FILE_NOT_FOUND');
    assert.notEqual(await agent.exited, 0);
  });
});
