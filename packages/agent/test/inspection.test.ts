import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { probeVerdict } from '../src/inspection/probe-verdict.ts';
import { Machine } from './support/machine.ts';
import { tinyKernel } from './support/tiny-kernel.ts';

describe('what an agent finds in an image', () => {
  test('is a verdict on the boot set as it is, initrd and command line included', async (t) => {
    const { machine } = await Machine.start(t);
    const kernel = join(machine.dir, 'vmlinuz');
    const initrd = join(machine.dir, 'initrd');
    writeFileSync(kernel, tinyKernel('6.12.0-test'));
    writeFileSync(initrd, 'an archive');
    const add = (name: string, more: object) =>
      machine.people.addImage({ body: { name, boot: { kind: 'linux', kernel, ...more } } });
    await Promise.all([
      add('bare', {}),
      add('with-initrd', { initrd }),
      add('with-words', { initrd, commandLine: 'quiet' }),
    ]);
    const images = await Promise.all(['bare', 'with-initrd', 'with-words'].map((name) => machine.judged(name)));
    assert.deepEqual(
      images.map(({ state, error }) => [state, error]),
      images.map(() => ['ready', undefined]),
    );
    assert.match(images[0]?.verdict?.kernel.banner ?? '', /6\.12\.0-test/);
    assert.equal(new Set(images.map(({ verdict }) => verdict?.bootSet.digest)).size, 3);
    assert.equal(images[1]?.verdict?.bootSet.initrd?.bytes, 'an archive'.length);
  });

  test('is an error by name for what is no kernel, is not there, or cannot be read', async (t) => {
    const { machine } = await Machine.start(t);
    const path = (name: string) => join(machine.dir, name);
    writeFileSync(path('text'), 'not a kernel at all\n'.repeat(1000));
    writeFileSync(path('truncated'), tinyKernel('6.12.0-test'));
    truncateSync(path('truncated'), 5000);
    writeFileSync(path('good'), tinyKernel('6.12.0-test'));
    writeFileSync(path('large'), '');
    truncateSync(path('large'), 2 ** 34);
    assert.equal(spawnSync('mkfifo', [path('fifo')]).status, 0);
    const cases: [string, { kernel: string; initrd?: string }, string][] = [
      ['text', { kernel: path('text') }, 'NOT_A_KERNEL'],
      ['truncated', { kernel: path('truncated') }, 'KERNEL_CORRUPT'],
      ['missing', { kernel: path('missing') }, 'FILE_NOT_FOUND'],
      ['directory', { kernel: machine.dir }, 'FILE_UNREADABLE'],
      ['fifo', { kernel: path('fifo') }, 'FILE_UNREADABLE'],
      ['large', { kernel: path('large') }, 'FILE_TOO_LARGE'],
      ['no-initrd', { kernel: path('good'), initrd: path('missing') }, 'FILE_NOT_FOUND'],
    ];
    for (const [name, boot] of cases)
      await machine.people.addImage({ body: { name, boot: { kind: 'linux', ...boot } } });
    for (const [name, , code] of cases) {
      const image = await machine.judged(name);
      assert.deepEqual([image.state, image.error?.code], ['failed', code], name);
    }
  });
});

describe("the built-in probe's verdict", () => {
  test('says what each flavour does by construction, and that this is its evidence', () => {
    const answers = (['honest', 'silent', 'lying', 'misreporting'] as const).map((flavour) => {
      const { statements } = probeVerdict(flavour, '0.1.0');
      for (const { level, evidence } of Object.values(statements)) {
        assert.equal(level, 'proven');
        assert.equal(evidence[0]?.where, `probe, flavour ${flavour}`);
      }
      return [statements['reports-conversions'].answer, statements['reports-correctly'].answer];
    });
    assert.deepEqual(answers, [
      ['yes', 'yes'],
      ['no', 'no'],
      ['yes', 'no'],
      ['yes', 'no'],
    ]);
  });

  test('is of one VMM version and one flavour', () => {
    const digests = [probeVerdict('honest', '1'), probeVerdict('honest', '2'), probeVerdict('lying', '1')];
    assert.equal(new Set(digests.map(({ bootSet }) => bootSet.digest)).size, 3);
  });
});
