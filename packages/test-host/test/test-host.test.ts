import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { findAsset, HOST_KERNELS, HOST_STAGES, startTestHost, type TestHostOptions } from '../src/index.ts';

const missing = (['qemu', 'busybox-static', ...HOST_KERNELS] as const).filter((id) => findAsset(id) === undefined);
const skip = missing.length > 0 && `${missing.join(', ')} not fetched: unpin test-host fetch ${missing.join(' ')}`;
/** Far above what the slowest machine takes: a bound, not a measure. */
const TIMEOUT_MS = 600_000;

/** Runs a command with collected output. */
async function host(options: Partial<TestHostOptions> & { readonly command: readonly string[] }) {
  const [stdout, stderr] = [new Collected(), new Collected()];
  const stages: string[] = [];
  const { exitCode } = await startTestHost({
    kernel: 'host-6.12',
    stdin: 'ignore',
    stdout,
    stderr,
    timeoutMs: TIMEOUT_MS,
    onProgress: (stage) => stages.push(stage),
    ...options,
  });
  return { exitCode, stdout: stdout.text, stderr: stderr.text, stages };
}

class Collected extends Writable {
  text = '';
  override _write(data: Buffer, _encoding: string, done: () => void): void {
    this.text += data.toString('utf8');
    done();
  }
}

/** Asks the kernel inside, in Node: what a VMM would find. */
const LOOK = `
const fs = require('node:fs');
const read = (path) => fs.readFileSync(path, 'utf8').trim();
fs.writeFileSync('/usr/unpin-was-here', 'in memory only');
console.log(JSON.stringify({
  npt: read('/sys/module/kvm_amd/parameters/npt'),
  kvm: fs.fstatSync(fs.openSync('/dev/kvm', 'r+')).isCharacterDevice(),
  shm: fs.statfsSync('/dev/shm').type,
  memlock: /Max locked memory +unlimited +unlimited/.test(read('/proc/self/limits')),
  ioUring: fs.existsSync('/proc/sys/kernel/io_uring_disabled') ? read('/proc/sys/kernel/io_uring_disabled') : '0',
  loopback: Object.keys(require('node:os').networkInterfaces()),
  userfaultfd: fs.existsSync('/dev/userfaultfd'),
  cwd: process.cwd(),
  marker: process.env.MARKER,
  input: fs.readFileSync(0, 'utf8'),
}));
console.error('to the other stream');
process.exitCode = 41;
`;

describe('a test host', { skip, timeout: 3_000_000, concurrency: 1 }, () => {
  for (const kernel of HOST_KERNELS)
    test(`on ${kernel} has a kvm_amd with nested paging, and all that a VMM asks of its kernel`, async () => {
      const { exitCode, stdout, stderr, stages } = await host({
        kernel,
        command: [process.execPath, '-e', LOOK],
        cwd: import.meta.dirname,
        env: { PATH: '/usr/bin:/bin', MARKER: "it's here" },
        stdin: Readable.from(['typed ', 'in']),
      });
      assert.equal(stderr, 'to the other stream\n');
      assert.deepEqual(JSON.parse(stdout), {
        npt: 'Y',
        kvm: true,
        shm: 0x01021994,
        memlock: true,
        ioUring: '0',
        loopback: ['lo'],
        userfaultfd: true,
        cwd: import.meta.dirname,
        marker: "it's here",
        input: 'typed in',
      });
      assert.equal(exitCode, 41);
      assert.deepEqual(stages, [...HOST_STAGES]);
      assert.ok(!existsSync('/usr/unpin-was-here'), 'what is written inside stays inside');
    });

  test('keeps what is written to a writable folder, and passes large output whole', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'unpin, writable-'));
    try {
      writeFileSync(join(folder, 'before'), 'from outside');
      const script = 'cat before && echo from inside >after && head -c 3000000 /dev/zero | tr "\\0" x';
      const { exitCode, stdout } = await host({ command: ['sh', '-c', script], cwd: folder, writable: [folder] });
      assert.equal(exitCode, 0);
      assert.equal(stdout, `from outside${'x'.repeat(3_000_000)}`);
      assert.equal(readFileSync(join(folder, 'after'), 'utf8'), 'from inside\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('gives the command a terminal where one is asked for', async () => {
    const stdin = new PassThrough();
    const { exitCode, stdout } = await host({
      command: ['sh', '-c', 'tty; stty size; sleep 1000'],
      terminal: { rows: 33, columns: 99 },
      stdin,
      // Control-C, as a terminal sends it, once the command sleeps.
      stdout: new (class extends Collected {
        override _write(data: Buffer, encoding: string, done: () => void): void {
          super._write(data, encoding, done);
          if (this.text.includes('33 99')) stdin.write('\x03');
          output = this.text;
        }
      })(),
    });
    assert.match(output, /^\/dev\/hvc0\s+33 99\s/);
    assert.equal(stdout, '');
    assert.equal(exitCode, 128 + 2);
  });
  let output = '';

  test('ends with the time it was given, at once when aborted, and leaves nothing', async () => {
    const command = ['sleep', '1000'];
    await assert.rejects(host({ command, timeoutMs: 1000 }), { code: 'GUEST_TIMEOUT' });
    const reason = new Error('changed my mind');
    const abort = new AbortController();
    const onProgress = (stage: string): void => {
      if (stage === 'kernel up') abort.abort(reason);
    };
    await assert.rejects(host({ command, signal: abort.signal, onProgress }), reason);
    assert.deepEqual(leftovers(process.pid), []);
  });

  test("that dies tells why, in its kernel's words", async () => {
    const command = ['sh', '-c', 'echo c >/proc/sysrq-trigger'];
    await assert.rejects(host({ command }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'TEST_HOST_FAILED');
      assert.match(error.message, /Kernel panic - not syncing: sysrq triggered crash/);
      return true;
    });
  });

  test('does not outlive a process that is killed', async () => {
    const module = join(import.meta.dirname, '../src/index.ts');
    const program = `import { startTestHost } from ${JSON.stringify(module)};
      const onProgress = (stage) => console.log(stage);
      await startTestHost({ kernel: 'host-6.12', command: ['sleep', '1000'], stdin: 'ignore', onProgress });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { pid = 0 } = child;
    await once(child.stdout, 'data');
    for (const deadline = Date.now() + 120_000; leftovers(pid).length === 0 && Date.now() < deadline; ) await pause();
    const started = leftovers(pid);
    const folders = started.map(privateFolder);
    assert.ok(folders.every((folder) => existsSync(folder)));
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.notDeepEqual(started, [], 'there was a QEMU to be left behind');
    const alive = (): unknown[] => [
      ...started.filter((each) => existsSync(`/proc/${each}`)),
      ...folders.filter((folder) => existsSync(folder)),
    ];
    for (const deadline = Date.now() + 120_000; alive().length > 0 && Date.now() < deadline; ) await pause();
    assert.deepEqual(alive(), []);
  });
});

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Processes of QEMU that descend from a process, by number. */
function leftovers(ancestor: number): number[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map(processes.map((name) => [Number(name), statOf(name)]));
  const descends = (pid: number): boolean => {
    const parent = parents.get(pid)?.parent;
    return parent !== undefined && parent > 0 && (parent === ancestor || descends(parent));
  };
  return [...parents].flatMap(([pid, { command }]) => (command.includes('qemu-system') && descends(pid) ? [pid] : []));
}

/** Where a QEMU has its sockets. */
function privateFolder(pid: number): string {
  const [, folder = ''] = /file:([^\0]*)\/console\.log/.exec(statOf(String(pid)).command) ?? [];
  return folder;
}

function statOf(pid: string): { readonly parent: number; readonly command: string } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return { parent, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') };
  } catch {
    return { parent: 0, command: '' };
  }
}
