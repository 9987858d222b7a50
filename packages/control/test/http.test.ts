import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { controlRoutes, hostRoutes, webhookRoutes } from '@unpin/contract';
import { controlOpenApi } from '../src/http/app.ts';
import { VERSION } from '../src/version.ts';
import { startWithHost } from './support/control-process.ts';

const SNAPSHOT = join(import.meta.dirname, '../../../docs/openapi.json');

function ask(url: string, headers: Record<string, string>): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request(url, { headers }, (response) => {
    response.resume();
    resolve(response.statusCode);
  })
    .on('error', reject)
    .end();
  return promise;
}

describe('loopback', () => {
  test('web pages of elsewhere cannot speak through a browser of this machine', async (t) => {
    const { control } = await startWithHost(t);
    const health = `${control.url}/v1/health`;
    assert.equal(await ask(health, {}), 200);
    assert.equal(await ask(health, { origin: 'http://localhost:5173' }), 200);
    assert.equal(await ask(health, { origin: 'https://example.com' }), 400);
    assert.equal(await ask(health, { origin: 'null' }), 400);
    assert.equal(await ask(health, { host: 'rebound.example.com' }), 400);
  });
});

describe('errors', () => {
  test('of every kind have the catalogue’s form', async (t) => {
    const { control } = await startWithHost(t);
    const cases: [string, RequestInit, number, string][] = [
      ['/v1/nothing', {}, 404, 'NOT_FOUND'],
      [
        '/v1/vms',
        { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } },
        400,
        'REQUEST_INVALID',
      ],
      [
        '/v1/vms',
        { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } },
        400,
        'REQUEST_INVALID',
      ],
      ['/v1/vms', { method: 'POST', body: 'name=a', headers: { 'content-type': 'text/html' } }, 400, 'REQUEST_INVALID'],
      ['/v1/audit?limit=0', {}, 400, 'REQUEST_INVALID'],
      ['/v1/images/A%20B', {}, 400, 'REQUEST_INVALID'],
    ];
    for (const [path, init, status, code] of cases) {
      const response = await fetch(control.url + path, init);
      const body = (await response.json()) as { code: string; subject: string };
      assert.deepEqual([response.status, body.code], [status, code], path);
      assert.notEqual(body.subject, '');
    }
  });
});

describe('OpenAPI', () => {
  test('docs/openapi.json is what the route tables say', () => {
    const now = `${JSON.stringify(controlOpenApi(), null, 2)}\n`;
    if (process.env['UPDATE_SNAPSHOTS'] === '1') writeFileSync(SNAPSHOT, now);
    assert.equal(
      readFileSync(SNAPSHOT, 'utf8'),
      now,
      'run this test with UPDATE_SNAPSHOTS=1, and look at the difference',
    );
  });

  test('the running server serves it, and every route of it', async (t) => {
    const { control } = await startWithHost(t);
    const document = (await (await fetch(`${control.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    assert.deepEqual(document, controlOpenApi());
    const operations = Object.values(document.paths).flatMap(
      (path) => Object.values(path) as { operationId: string }[],
    );
    assert.deepEqual(
      operations.map(({ operationId }) => operationId).toSorted(),
      [controlRoutes, hostRoutes, webhookRoutes].flatMap((routes) => Object.keys(routes)).toSorted(),
    );
    for (const [path, methods] of Object.entries(document.paths))
      for (const method of Object.keys(methods)) {
        const url = control.url + path.replaceAll(/\{\w+\}/g, 'x');
        const response = await fetch(url, { method: method.toUpperCase() });
        const body = (await response.json()) as { code?: string; subject?: string };
        // A route that is not there says so with its method and path as the subject.
        assert.ok(!body.subject?.startsWith(`${method.toUpperCase()} /`), `${method} ${path}`);
      }
  });
});

test('the version is that of package.json', () => {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string;
  };
  assert.equal(VERSION, manifest.version);
});
