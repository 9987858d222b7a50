import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { findVmm, isAlive, processOf, signalVmm } from '../src/vms/processes.ts';

const FOREVER = 'setInterval(() => {}, 1000); console.log("up")';

async function run(t: { after(f: () => void): void }, ...args: string[]) {
  const child = spawn(process.execPath, ['-e', FOREVER, '--', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const id = processOf(child.pid ?? 0);
  assert.ok(id !== undefined);
  return { child, id };
}

describe('signals', () => {
  test('go to the process that was given the directory', async (t) => {
    const { child, id } = await run(t, '--dir', '/tmp/x', '--order', 'o');
    assert.deepEqual(findVmm('/tmp/x'), id);
    assert.ok(signalVmm(id, '/tmp/x', 'SIGKILL'));
    await once(child, 'exit');
    assert.equal(isAlive(id), false);
  });

  test('go to no process of another directory, of no VM, or of a number that was used again', async (t) => {
    const vmm = await run(t, '--dir', '/tmp/x', '--order', 'o');
    const other = await run(t, 'an', 'editor');
    assert.equal(signalVmm(vmm.id, '/tmp/y', 'SIGKILL'), false);
    assert.equal(signalVmm(other.id, '/tmp/x', 'SIGKILL'), false);
    assert.equal(signalVmm({ ...vmm.id, startTicks: vmm.id.startTicks - 1 }, '/tmp/x', 'SIGKILL'), false);
    assert.ok(isAlive(vmm.id) && isAlive(other.id));
  });
});
