import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { openDisk } from '../../src/disk/open-disk.ts';
import { FormatError } from '../../src/format-error.ts';
import { Budget } from '../../src/source/budget.ts';
import { cachedSource } from '../../src/source/cached-source.ts';
import { type HttpOptions, type HttpSource, openHttpSource } from '../../src/source/http-source.ts';

const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
const HASTY: HttpOptions = { backoff: 1, timeout: 400, retries: 3 };

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

interface Site {
  readonly address: string;
  readonly requests: IncomingMessage[];
}

const open: { close(): void; closeAllConnections(): void }[] = [];
after(() => {
  for (const server of open) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(handler: Handler): Promise<Site> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response, requests.length);
  });
  open.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/disk.raw`, requests };
}

interface Facts {
  readonly content?: Buffer;
  readonly headers?: Record<string, string>;
  /** How much of the range's end is left out of the body. */
  readonly short?: number;
}

/** As a server of files answers a range. */
function answerRange(request: IncomingMessage, response: ServerResponse, facts: Facts = {}): void {
  const content = facts.content ?? bytes;
  const [, first = 0, last = 0] = (/^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []).map(Number);
  const end = Math.min(last + 1, content.length);
  response.writeHead(206, {
    'content-range': `bytes ${first}-${end - 1}/${content.length}`,
    'content-length': end - first,
    etag: '"one"',
    ...facts.headers,
  });
  const body = content.subarray(first, end - (facts.short ?? 0));
  if (facts.short === undefined) response.end(body);
  else response.write(body, () => setTimeout(() => response.destroy(), 20));
}

async function fails(promise: Promise<unknown>, text: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.equal(error.kind, 'unreadable');
    assert.match(error.message, text);
    return true;
  });
}

async function assertReads(source: HttpSource): Promise<void> {
  assert.equal(source.size, bytes.length);
  for (const [offset, length] of [
    [0, 10],
    [299_999, 1],
    [12_345, 200_000],
    [5, 0],
  ] as const)
    assert.ok(bytes.subarray(offset, offset + length).equals(await source.read(offset, length)));
}

describe('a file on a web server', () => {
  test('is read by ranges', async () => {
    const site = await serve((request, response) => answerRange(request, response));
    const source = await openHttpSource(site.address, HASTY);
    await assertReads(source);
    assert.equal(source.pinned, true);
    await assert.rejects(source.read(bytes.length, 1), /bytes wanted/);
    assert.ok(site.requests.every(({ headers }) => headers['accept-encoding'] === 'identity'));
    assert.deepEqual(
      site.requests.map(({ headers }) => headers['if-match']),
      [undefined, '"one"', '"one"', '"one"'],
    );
  });

  test('without a byte has none', async () => {
    const site = await serve((_, response) => {
      response.writeHead(416, { 'content-range': 'bytes */0' }).end();
    });
    assert.equal((await openHttpSource(site.address, HASTY)).size, 0);
  });

  test('is read in few requests through a cache, and opened as a disk', async () => {
    const site = await serve((request, response) => answerRange(request, response));
    const source = await openHttpSource(site.address, HASTY);
    const cached = cachedSource(source, { blockBytes: 2 ** 16 });
    for (let at = 0; at < 200_000; at += 500) await cached.read(at, 500);
    assert.ok(site.requests.length < 6, `${site.requests.length} requests`);
    const disk = await openDisk(source, { budget: new Budget(2 ** 20, 100) });
    assert.equal(disk.format, 'raw');
    assert.ok(bytes.subarray(0, 1000).equals(await disk.source.read(0, 1000)));
  });

  test('of a server that knows no ranges is refused', async () => {
    const site = await serve((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    });
    await fails(openHttpSource(site.address, HASTY), /no ranges: fetch the file first/);
    assert.equal(site.requests.length, 1);
  });

  test('that changes meanwhile is an error: the server tells, or its answer shows it', async () => {
    const changes: readonly [Handler, RegExp][] = [
      [(_, response) => void response.writeHead(412).end(), /refuses its earlier state/],
      [(_, response) => void response.writeHead(200).end(bytes), /answers 200/],
      [(_, response) => void response.writeHead(416).end(), /answers 416/],
      [(request, response) => answerRange(request, response, { headers: { etag: '"two"' } }), /ETag/],
      [
        (request, response) => answerRange(request, response, { content: bytes.subarray(0, 250_000) }),
        /300000.*250000/,
      ],
    ];
    for (const [later, text] of changes) {
      const site = await serve((request, response, count) =>
        count === 1 ? answerRange(request, response) : later(request, response, count),
      );
      const source = await openHttpSource(site.address, HASTY);
      await fails(source.read(100, 100), /changed while it was read/);
      await fails(source.read(100, 100), text);
    }
  });

  test('is held to its date where it has no strong ETag', async () => {
    const date = 'Sun, 01 Nov 2026 10:00:00 GMT';
    const headers = { etag: 'W/"weak"', 'last-modified': date };
    const site = await serve((request, response) => answerRange(request, response, { headers }));
    const source = await openHttpSource(site.address, HASTY);
    await source.read(0, 10);
    assert.equal(site.requests[1]?.headers['if-match'], undefined);
    assert.equal(site.requests[1]?.headers['if-unmodified-since'], date);
  });

  test('of a server that fails now and then is asked for again', async () => {
    const site = await serve((request, response, count) => {
      if (count % 3 === 1) response.writeHead(503).end();
      else if (count % 3 === 2) response.destroy();
      else answerRange(request, response);
    });
    await assertReads(await openHttpSource(site.address, HASTY));
  });

  test('of a connection that breaks goes on where it broke', async () => {
    const site = await serve((request, response, count) =>
      answerRange(request, response, count % 2 === 0 ? { short: 100 } : {}),
    );
    await assertReads(await openHttpSource(site.address, HASTY));
    assert.ok(site.requests.some(({ headers }) => headers.range === 'bytes=212245-212344'));
  });

  test('of a server that only fails ends', async () => {
    const broken = await serve((_, response) => void response.writeHead(500).end());
    await fails(openHttpSource(broken.address, HASTY), /answers 500 \(4 times\)/);
    assert.equal(broken.requests.length, 4);
    const dropping = await serve((_, response) => void response.destroy());
    await fails(openHttpSource(dropping.address, HASTY), /4 times/);
    const one = await serve((request, response, count) =>
      answerRange(request, response, count === 1 ? {} : { short: 999 - count }),
    );
    await fails((await openHttpSource(one.address, HASTY)).read(0, 1000), /breaks again and again/);
    await fails(openHttpSource('http://127.0.0.1:9/x', { ...HASTY, retries: 0 }), /127\.0\.0\.1:9/);
  });

  test('of a server that says nothing, or stops in the middle, ends', async () => {
    const silent = await serve(() => {});
    await fails(openHttpSource(silent.address, { ...HASTY, timeout: 50, retries: 1 }), /no answer within 50 ms/);
    const stopping = await serve((request, response, count) => {
      if (count === 1) answerRange(request, response);
      else {
        response.writeHead(206, {
          'content-range': `bytes 0-99/${bytes.length}`,
          'content-length': 100,
          etag: '"one"',
        });
        response.flushHeaders();
      }
    });
    const source = await openHttpSource(stopping.address, { ...HASTY, timeout: 50, retries: 1 });
    await fails(source.read(0, 100), /without its body/);
  });

  test('of a server that answers something else is told', async () => {
    const answers: readonly [Handler, RegExp][] = [
      [(_, response) => void response.writeHead(404).end(), /answers 404/],
      [(_, response) => void response.writeHead(401).end(), /answers 401/],
      [
        (request, response) => answerRange(request, response, { headers: { 'content-range': 'bytes 5-5/9' } }),
        /another range/,
      ],
      [
        (request, response) => answerRange(request, response, { headers: { 'content-range': 'bytes 0-0/*' } }),
        /another range/,
      ],
      [
        (request, response) => answerRange(request, response, { headers: { 'content-encoding': 'gzip' } }),
        /packs its answer/,
      ],
      [
        (_, response) => void response.writeHead(206, { 'content-range': 'bytes 0-0/9', etag: '"x"' }).end('longer'),
        /more than/,
      ],
    ];
    for (const [handler, text] of answers) {
      const site = await serve(handler);
      await fails(openHttpSource(site.address, HASTY), text);
      assert.equal(site.requests.length, 1);
    }
    for (const address of ['file:///etc/passwd', 'no address', 'ftp://a/b'])
      await fails(openHttpSource(address, HASTY), /no http or https address/);
  });
});

function to(location: string): Handler {
  return (_, response) => void response.writeHead(302, { location }).end();
}

describe('a redirect', () => {
  test('is followed, and not asked for again', async () => {
    const files = await serve((request, response) => answerRange(request, response));
    const site = await serve(to(files.address));
    await assertReads(await openHttpSource(site.address, HASTY));
    assert.equal(site.requests.length, 1);
  });

  test('takes no credentials to another origin', async () => {
    const files = await serve((request, response) => answerRange(request, response));
    const site = await serve(to(files.address));
    const address = site.address.replace('http://', 'http://user:secret@');
    const source = await openHttpSource(address, { ...HASTY, headers: { 'x-token': 'secret' } });
    await assertReads(source);
    assert.equal(site.requests[0]?.headers.authorization, `Basic ${Buffer.from('user:secret').toString('base64')}`);
    assert.equal(site.requests[0]?.headers['x-token'], 'secret');
    for (const { headers } of files.requests)
      assert.deepEqual([headers.authorization, headers['x-token']], [undefined, undefined]);
    assert.ok(!source.name.includes('secret'), source.name);
  });

  test('to the same origin takes them along', async () => {
    const site = await serve((request, response, count) =>
      count === 1 ? void response.writeHead(307, { location: '/other' }).end() : answerRange(request, response),
    );
    await openHttpSource(site.address, { ...HASTY, headers: { 'x-token': 'secret' } });
    assert.deepEqual([site.requests[1]?.url, site.requests[1]?.headers['x-token']], ['/other', 'secret']);
  });

  test('whose target expired is asked for anew, once', async () => {
    const signed = await serve((request, response, count) =>
      count === 3 ? void response.writeHead(403).end() : answerRange(request, response),
    );
    const site = await serve(to(signed.address));
    await assertReads(await openHttpSource(site.address, HASTY));
    assert.equal(site.requests.length, 2);
    const dead = await serve((request, response, count) =>
      count === 1 ? answerRange(request, response) : void response.writeHead(403).end(),
    );
    const source = await openHttpSource((await serve(to(dead.address))).address, HASTY);
    await fails(source.read(0, 10), /answers 403/);
  });

  test('without end, to nowhere, or to no web address is told', async () => {
    const circle = await serve((_, response) => void response.writeHead(302, { location: '/again' }).end());
    await fails(openHttpSource(circle.address, HASTY), /more than 5 times/);
    assert.equal(circle.requests.length, 6);
    const outside = await serve(to('file:///etc/passwd'));
    await fails(openHttpSource(outside.address, HASTY), /a file: address/);
    const nowhere = await serve((_, response) => void response.writeHead(302).end());
    await fails(openHttpSource(nowhere.address, HASTY), /nowhere/);
  });
});
