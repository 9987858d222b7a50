import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { UnpinError } from '@unpin/contract/errors';
import { ConfinedProcess } from '../src/confined/confined-process.ts';
import { inspectConfined, inspectionError, inspectMany } from '../src/confined/index.ts';
import { atPace, DEFAULT_LIMITS, limitsFor, paceOf, SLOWEST_PACE } from '../src/confined/limits.ts';
import { openNamed } from '../src/confined/named-file.ts';
import { overrunOf } from '../src/confined/watch.ts';
import { assetPath, needsAsset } from './assets.ts';

import { syntheticKernel } from './synthetic/kernel.ts';
import { diskTool, needsDiskTools } from './tools.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'unpin-confined-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

const SMALL = syntheticKernel();

async function refusal(promise: Promise<unknown>): Promise<UnpinError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof UnpinError, String(error));
    return error;
  }
  throw new Error('it did not fail');
}

/** Temporary files as the process makes them. */
function countNameless(): number {
  return readdirSync(tmpdir()).filter((name) => /^unpin-[0-9a-f]{24}$/.test(name)).length;
}

describe('the process that parses images', () => {
  test('gives the verdict that its caller would find', async () => {
    const inspection = await inspectConfined({ image: file('small', SMALL) });
    assert.equal(inspection.verdict.statements['sev-guest'].answer, 'yes');
    assert.equal(inspection.verdict.bootSet.kernel.sha256, createHash('sha256').update(SMALL).digest('hex'));
    assert.ok(inspection.figures.bytesRead >= SMALL.length);
  });

  test('has the limits of the system around it, and nothing of its caller’s environment', async () => {
    process.env['UNPIN_TEST_SECRET'] = 'do not pass on';
    const named = await openNamed(file('limits', SMALL), 'a kernel');
    const running = new ConfinedProcess([named]);
    try {
      await running.inspect({ image: named, options: { as: 'auto', softCpuMs: 1000 }, limits: DEFAULT_LIMITS });
      const proc = `/proc/${running.pid}`;
      const limits = readFileSync(`${proc}/limits`, 'utf8');
      assert.match(limits, /Max core file size\s+0\s/);
      assert.doesNotMatch(limits, /Max (?:data size|cpu time)\s+unlimited/);
      assert.doesNotMatch(readFileSync(`${proc}/environ`, 'latin1'), /do not pass on/);
      assert.match(readFileSync(`${proc}/cmdline`, 'latin1'), /--permission/);
    } finally {
      running.close();
      named.close();
    }
  });

  test('opens nothing that an image names: a backing file is refused by name', needsDiskTools(), async () => {
    const base = file('base.raw', Buffer.alloc(2 ** 20));
    const top = join(dir, 'top.qcow2');
    diskTool('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', top]);
    const refused = inspectionError(await inspectConfined({ image: top }));
    assert.equal(refused?.code, 'IMAGE_UNSUPPORTED');
    assert.match(refused?.message ?? '', /base\.raw/);
    assert.match(refused?.parts.next ?? '', /--backing/);
    const allowed = inspectionError(await inspectConfined({ image: top, backing: [base] }));
    assert.doesNotMatch(allowed?.message ?? '', /backing/);
  });

  test(
    'is ended when it takes too long, and the error says what it was at',
    needsAsset('kernel-6.1-generic'),
    async () => {
      const image = assetPath('kernel-6.1-generic') ?? '';
      const error = await refusal(inspectConfined({ image }, { limits: { cpuMs: 1 } }));
      assert.equal(error.code, 'IMAGE_OVER_LIMITS');
      assert.match(error.message, /CPU time, at (?:starting|opening|looking into|reading)/);
    },
  );

  test('is ended when it takes too much memory', needsAsset('kernel-6.1-generic'), async () => {
    const image = assetPath('kernel-6.1-generic') ?? '';
    const error = await refusal(inspectConfined({ image }, { limits: { memoryBytes: 2 ** 20 } }));
    assert.equal(error.code, 'IMAGE_OVER_LIMITS');
    assert.match(error.message, /MiB of memory/);
  });

  test('unpacks no more to the machine’s disk than a disk of that size can hold', async () => {
    const bomb = file('bomb.gz', gzipSync(Buffer.alloc(2 ** 29, 'filled with this')));
    const refused = inspectionError(await inspectConfined({ image: bomb }, { limits: { cpuMs: 60_000 } }));
    assert.equal(refused?.code, 'IMAGE_OVER_LIMITS');
    assert.match(refused?.message ?? '', /temporary file/);
  });

  test('takes many images in turn; one that can’t be read costs itself', async () => {
    const names = ['a', 'b', 'c'].map((name) => file(`many-${name}`, SMALL));
    const text = file('text', 'nothing of the kind\n'.repeat(100));
    const requests = [names[0], text, join(dir, 'absent'), names[1], names[2]].map((image) => ({ image: image ?? '' }));
    const told: number[] = [];
    const answers = await inspectMany(requests, { workers: 2, onAnswer: (_, index) => told.push(index) });
    const found = answers.map(({ inspection, error }) =>
      inspection === undefined ? error.code : (inspectionError(inspection)?.code ?? 'verdict'),
    );
    assert.deepEqual(found, ['verdict', 'NOT_A_KERNEL', 'FILE_NOT_FOUND', 'verdict', 'verdict']);
    assert.deepEqual(
      told.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4],
    );
  });

  test('hands out the very bytes that were judged', async () => {
    const kernel = file('kernel', SMALL);
    const initrd = file('initrd', Buffer.alloc(3 * 2 ** 20, 'an archive'));
    const hashes = { kernel: createHash('sha256'), initrd: createHash('sha256') };
    const inspection = await inspectConfined({
      image: kernel,
      as: 'kernel',
      initrd,
      deliver: (part, bytes) => hashes[part].update(bytes),
    });
    const { bootSet } = inspection.verdict;
    assert.equal(hashes.kernel.digest('hex'), bootSet.kernel.sha256);
    assert.equal(hashes.initrd.digest('hex'), bootSet.initrd?.sha256);
  });

  test('leaves no file behind', async () => {
    const before = countNameless();
    await inspectConfined({ image: file('tidy', SMALL) });
    assert.equal(countNameless(), before);
  });

  test('refuses a kernel that is larger than any by its size alone', async () => {
    const large = file('large', '');
    truncateSync(large, 2 ** 34);
    assert.equal((await refusal(inspectConfined({ image: large, as: 'kernel' }))).code, 'FILE_TOO_LARGE');
  });
});

describe('what lies on a web server', () => {
  let server: Server;
  before(async () => {
    server = createServer((request, response) => {
      const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      const first = Number(match?.[1] ?? 0);
      const last = Math.min(Number(match?.[2] ?? SMALL.length - 1), SMALL.length - 1);
      const body = SMALL.subarray(first, last + 1);
      const head = {
        etag: '"one"',
        'accept-ranges': 'bytes',
        'content-length': String(body.length),
        ...(match === null ? {} : { 'content-range': `bytes ${first}-${last}/${SMALL.length}` }),
      };
      response.writeHead(match === null ? 200 : 206, head).end(request.method === 'HEAD' ? undefined : body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => server.close());

  test('is read by this process for the one that has no network', async () => {
    const { port } = server.address() as AddressInfo;
    const inspection = await inspectConfined({ image: `http://127.0.0.1:${port}/vmlinuz` });
    assert.equal(inspection.verdict.statements['sev-guest'].answer, 'yes');
  });

  test('and is not there ends in an error', async () => {
    const error = await refusal(inspectConfined({ image: 'http://127.0.0.1:1/vmlinuz' }));
    assert.equal(error.code, 'FILE_UNREADABLE');
  });
});

describe('limits', () => {
  const limits = { cpuMs: 1000, wallMs: 2000, memoryBytes: 2 ** 28 };

  test('name what was overrun, with what was allowed', () => {
    assert.match(overrunOf(limits, { cpuMs: 1001, residentBytes: 0 }, 0)?.found ?? '', /CPU time/);
    assert.match(overrunOf(limits, { cpuMs: 0, residentBytes: 2 ** 29 }, 0)?.found ?? '', /512 MiB/);
    assert.match(overrunOf(limits, undefined, 2001)?.needed ?? '', /2\.0 s/);
    assert.equal(overrunOf(limits, { cpuMs: 1000, residentBytes: 2 ** 28 }, 2000), undefined);
  });

  test('are as many times wider as the machine is slower, by what the start of the process took', () => {
    const { cpuMs } = DEFAULT_LIMITS;
    for (const [startMs, expected] of [
      [150, cpuMs],
      [4000, cpuMs * 10],
      [1e6, cpuMs * SLOWEST_PACE],
    ] as const)
      assert.equal(atPace(DEFAULT_LIMITS, paceOf(startMs)).cpuMs, expected);
  });

  test('are wider for what has to be unpacked whole, by its size', () => {
    const gzip = limitsFor(limits, Uint8Array.of(0x1f, 0x8b, 8), 2 ** 30);
    assert.ok(gzip.cpuMs > 20_000);
    assert.deepEqual(limitsFor(limits, Uint8Array.of(1, 2, 3), 2 ** 30), limits);
  });
});
