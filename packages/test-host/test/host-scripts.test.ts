import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { consoleExcerpt } from '../src/host/console-excerpt.ts';
import { parseControlLine } from '../src/host/control-line.ts';
import { commandScript, initScript, sessionScript } from '../src/host/guest-scripts.ts';
import { qemuCommand } from '../src/host/qemu-command.ts';

function statusOf(command: string[], cwd: string): number | null {
  return spawnSync('sh', ['-c', commandScript({ command, cwd, env: { PATH: '/bin' } })]).status;
}

describe('the command of a test host', () => {
  test('reaches its program as it is, whatever characters it has', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', "'", '"', '$', '\\', '\n', '*', '-', '=', 'ü', '`') });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), text, (args, value) => {
        const print = 'for (const each of [process.env.V, ...process.argv.slice(1)]) console.log(JSON.stringify(each))';
        const command = [process.execPath, '-e', print, '--', ...args];
        const script = commandScript({ command, cwd: '/', env: { V: value } });
        const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
        assert.deepEqual(
          stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
          [value, ...args],
          stderr,
        );
      }),
      { numRuns: 25 },
    );
  });

  test('has its own environment only, its folder, and its exit status', () => {
    const script = commandScript({
      command: ['sh', '-c', 'pwd; echo ${HOME-none}; exit 9'],
      cwd: '/usr',
      env: { PATH: '/bin' },
    });
    const { stdout, status } = spawnSync('sh', ['-c', script], { encoding: 'utf8', env: { HOME: '/root' } });
    assert.deepEqual([stdout, status], ['/usr\nnone\n', 9]);
  });

  test('that is not there ends with 127, a folder that is not there with 126', () => {
    assert.equal(statusOf(['no-such-program'], '/'), 127);
    assert.equal(statusOf(['true'], '/no/such/folder'), 126);
  });
});

test('the scripts of a test host are ones that a shell can read', () => {
  for (const script of [
    initScript(['kvm', 'kvm_amd']),
    sessionScript(undefined),
    sessionScript({ rows: 24, columns: 80 }),
  ]) {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }
});

describe('a line of the control port', () => {
  test('is understood as the scripts write it', () => {
    assert.deepEqual(parseControlLine('kernel-up 6.12.1-amd64'), { kind: 'kernel-up', release: '6.12.1-amd64' });
    assert.deepEqual(parseControlLine('kvm-loaded npt=Y'), { kind: 'kvm-loaded', nestedPaging: true });
    assert.deepEqual(parseControlLine('kvm-loaded npt=N'), { kind: 'kvm-loaded', nestedPaging: false });
    assert.deepEqual(parseControlLine('running'), { kind: 'running' });
    assert.deepEqual(parseControlLine('exit 7'), { kind: 'exit', code: 7 });
    assert.deepEqual(parseControlLine('failed insmod kvm'), { kind: 'failed', reason: 'insmod kvm' });
  });

  test('is unknown where it is anything else', () => {
    for (const line of ['', 'exit', 'exit 256', 'exit -1', 'exit 1x', 'hello'])
      assert.equal(parseControlLine(line).kind, 'unknown', line);
    fc.assert(fc.property(fc.string(), (line) => void parseControlLine(line)));
  });
});

describe('what is told of a dead host', () => {
  test("is its kernel's own words, not the registers at the end", () => {
    const log = [
      '[    1.0] Linux version',
      '[    3.3] Kernel panic - not syncing: x',
      '[    3.4] Call Trace:',
      '',
    ].join('\r\n');
    assert.deepEqual(consoleExcerpt(log), ['[    3.3] Kernel panic - not syncing: x', '[    3.4] Call Trace:']);
  });

  test('is the end of its console where it said nothing', () => {
    const log = Array.from({ length: 40 }, (_, i) => `line ${i}`).join('\n');
    assert.deepEqual([consoleExcerpt(log).length, consoleExcerpt(log).at(-1)], [12, 'line 39']);
  });
});

test('the root is shared for reading, a writable folder for writing, commas in paths doubled', () => {
  const program = {
    loader: '/q/ld.so',
    libraries: ['/q/lib'],
    binary: '/q/qemu',
    firmware: ['/q/fw'],
    modules: '/q/m',
  };
  const machine = {
    kernel: '/k',
    initrd: '/i',
    memoryMiB: 2048,
    cpus: 2,
    folder: '/f',
    writable: ['/a,b'],
    terminal: false,
  };
  const command = qemuCommand(program, machine);
  const shares = command.filter((word) => word.startsWith('local,'));
  assert.deepEqual(shares.length, 2);
  assert.match(shares[0] ?? '', /path=\/,.*readonly=on/);
  assert.match(shares[1] ?? '', /path=\/a,,b,/);
  assert.doesNotMatch(shares[1] ?? '', /readonly/);
});
