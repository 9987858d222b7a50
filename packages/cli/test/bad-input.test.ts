import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assetPath, findAsset } from '@unpin/test-host';
import { unpin } from './unpin.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'unpin-bad-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

/** Every refusal: the exit status, the code, and something that a person can do or look at. */
async function refused(args: readonly string[], exit: number, code: string, env?: NodeJS.ProcessEnv): Promise<string> {
  const ran = await unpin(args, env);
  assert.equal(ran.code, exit, ran.stderr);
  assert.match(ran.stderr, new RegExp(`^error ${code} `, 'm'));
  assert.doesNotMatch(ran.stderr, /^\s+at .*:\d+:\d+/m, 'a stack is no message');
  const json = await unpin(['--json', ...args], env);
  assert.equal(json.code, exit);
  assert.equal((JSON.parse(json.stdout) as { error: { code: string } }).error.code, code);
  return ran.stderr;
}

describe('bad input ends in a catalogue error', () => {
  test('a file that is not there', async () => {
    await refused(['image', 'inspect', join(dir, 'nothing')], 66, 'FILE_NOT_FOUND');
  });

  test('a directory without images', async () => {
    const empty = join(dir, 'empty');
    mkdirSync(empty);
    await refused(['image', 'inspect', empty], 66, 'FILE_NOT_FOUND');
    await refused(['run', empty], 66, 'FILE_UNREADABLE');
  });

  test('a file that is no kernel', async () => {
    const file = join(dir, 'text');
    writeFileSync(file, 'not a kernel\n'.repeat(1000));
    await refused(['image', 'inspect', file], 65, 'NOT_A_KERNEL');
    await refused(['run', file], 65, 'NOT_A_KERNEL');
  });

  test('a sparse file of a terabyte', async () => {
    const file = join(dir, 'huge');
    writeFileSync(file, '');
    truncateSync(file, 2 ** 40);
    await refused(['image', 'inspect', file], 65, 'NOT_A_KERNEL');
    await refused(['run', file], 65, 'FILE_TOO_LARGE');
  });

  test('a truncated kernel', {
    skip: findAsset('kernel-6.12-cloud') === undefined && 'needs kernel-6.12-cloud: unpin test-host fetch',
  }, async () => {
    const file = join(dir, 'half');
    const whole = readFileSync(assetPath('kernel-6.12-cloud'));
    writeFileSync(file, whole.subarray(0, whole.length / 2));
    await refused(['image', 'inspect', file], 65, 'KERNEL_CORRUPT');
  });

  test('an unknown VM type, with all that there are', async () => {
    assert.match(await refused(['vm-types', 'sev-upmm'], 64, 'VM_TYPE_UNKNOWN'), /sev-upm/);
    await refused(['run', 'probe', '--type', '__proto__'], 64, 'VM_TYPE_UNKNOWN');
  });

  test('an image to add that is neither a kernel nor a disk, or both', async () => {
    await refused(['image', 'add', 'a'], 64, 'USAGE');
    await refused(['image', 'add', 'a', '--kernel', 'k', '--disk', 'd'], 64, 'USAGE');
  });

  test('memory that is no size', async () => {
    await refused(['run', 'probe', '--memory', 'lots'], 64, 'MEMORY_INVALID');
    await refused(['run', 'probe', '--memory', '-1G'], 64, 'MEMORY_INVALID');
  });

  test('an unknown key in the configuration, by name and with those that there are', async () => {
    const file = join(dir, 'config.json');
    writeFileSync(file, '{"ulr": "http://127.0.0.1:1"}');
    assert.match(await refused(['config', 'show', '--config', file], 78, 'CONFIG_UNKNOWN_KEY'), /'ulr'[\s\S]*url/);
    writeFileSync(file, '{');
    await refused(['config', 'show', '--config', file], 78, 'CONFIG_INVALID');
    await refused(['config', 'show'], 78, 'CONFIG_INVALID', { UNPIN_CONFIG: join(dir, 'absent.json') });
  });

  test('no server', async () => {
    assert.match(
      await refused(['vm', 'list'], 69, 'SERVER_UNREACHABLE', { UNPIN_URL: 'http://127.0.0.1:1' }),
      /unpin up/,
    );
  });

  test('an address to serve on that is not loopback', async () => {
    const ran = await unpin(['up', '--listen', '0.0.0.0:80'], { UNPIN_STATE_DIR: dir });
    assert.equal(ran.code, 78, ran.stderr);
  });

  test('a command that there is not', async () => {
    const ran = await unpin(['frobnicate']);
    assert.equal(ran.code, 64);
  });
});

describe('configuration', () => {
  test('a flag wins over the environment, that over the file, and each says where it comes from', async () => {
    const file = join(dir, 'good.json');
    writeFileSync(file, JSON.stringify({ url: 'http://file', stateDir: '/file', listen: '127.0.0.1:1' }));
    const ran = await unpin(['--json', '--config', file, '--url', 'http://flag', 'config', 'show', '--origin'], {
      UNPIN_STATE_DIR: '/env',
      UNPIN_URL: 'http://env',
    });
    const settings = JSON.parse(ran.stdout) as Record<string, { value: string; origin: string }>;
    assert.deepEqual(settings['url'], { value: 'http://flag', origin: 'flag --url' });
    assert.deepEqual(settings['stateDir'], { value: '/env', origin: 'environment UNPIN_STATE_DIR' });
    assert.deepEqual(settings['listen'], { value: '127.0.0.1:1', origin: `file ${file}` });
    assert.equal(
      settings['cacheDir']?.origin.startsWith('default') || settings['cacheDir']?.origin.startsWith('env'),
      true,
    );
  });
});

describe('image inspect --check answers by its exit status', () => {
  check('kernel-6.12-cloud', 'sev-upm', 0);
  check('kernel-5.10-cloud', 'sev-upm', 1);
  check('kernel-5.10-cloud', 'sev', 0);
});

function check(kernel: 'kernel-5.10-cloud' | 'kernel-6.12-cloud', type: string, exit: number): void {
  const skip = findAsset(kernel) === undefined && `needs ${kernel}: unpin test-host fetch`;
  test(`${kernel} as ${type}: ${exit}`, { skip }, async () => {
    const ran = await unpin(['image', 'inspect', assetPath(kernel), '--check', type]);
    assert.equal(ran.code, exit, ran.stdout + ran.stderr);
  });
}
