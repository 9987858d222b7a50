import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import {
  type AdmissionConfig,
  type AdmissionReviewAnswer,
  controlRoutes,
  hostRoutes,
  webhookRoutes,
} from '@unpin/contract';
import { createClient } from '@unpin/contract/client';
import { pino } from 'pino';
import { Presence } from '../src/hosts/presence.ts';
import { buildApp } from '../src/http/app.ts';
import type { Services } from '../src/services.ts';
import { openSqlite } from '../src/store/sqlite/open-sqlite.ts';
import type { Store } from '../src/store/store.ts';
import { errorOf, start, temporaryDir, tryStart } from './support/control-process.ts';
import { registration } from './support/hosts.ts';
import { instance, machine, reviewOfObject, UID } from './support/kubevirt.ts';
import { novaRequest } from './support/nova.ts';
import { rightKernel, silentKernel } from './support/verdicts.ts';

const CHOICES: AdmissionConfig = {
  webhook: { unknown: 'refuse', onError: 'refuse', audit: true },
  images: [
    { from: 'container-disk', match: 'quay.io/containerdisks/debian:*', image: 'debian-13' },
    { from: 'glance-name', match: 'Debian 13', image: 'debian-13' },
  ],
};

function admissionFile(t: TestContext, content: unknown): string {
  const path = join(temporaryDir(t), 'admission.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** A control plane's process with an admission file, and the image `debian-13` judged. */
async function startWithChoices(t: TestContext, choices: AdmissionConfig | undefined) {
  const file = choices === undefined ? undefined : admissionFile(t, { admission: choices });
  const prefix = file === undefined ? [] : ['env', `UNPIN_ADMISSION=${file}`];
  const control = await start(t, join(temporaryDir(t), 'unpin.sqlite'), prefix);
  const { epoch } = await control.agents.registerHost({ params: { host: 'here' }, body: registration() });
  await control.people.addImage({ body: { name: 'debian-13', boot: { kind: 'linux', kernel: '/boot/vmlinuz' } } });
  await control.agents.putInspection({
    params: { host: 'here', image: 'debian-13' },
    query: { epoch },
    body: { generation: 1, verdict: rightKernel },
  });
  return { ...control, webhooks: createClient(webhookRoutes, { url: control.url }) };
}

function post(url: string, body: string): Promise<Response> {
  return fetch(`${url}/v1/webhooks/kubevirt`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
}

async function responseOf(answer: Response): Promise<AdmissionReviewAnswer['response']> {
  assert.equal(answer.status, 200, await answer.clone().text());
  return ((await answer.json()) as AdmissionReviewAnswer).response;
}

const SEV = machine({ launchSecurity: { sev: {} } });
const SNP = instance({ launchSecurity: { snp: {} } });

describe('the webhook for KubeVirt', () => {
  test('decides on judged images, and keeps a record of refusals alone', async (t) => {
    const { url, people } = await startWithChoices(t, CHOICES);
    const before = (await people.listAudit({ query: {} })).records.length;
    const yes = await responseOf(await post(url, JSON.stringify(reviewOfObject(SEV))));
    assert.deepEqual([yes.uid, yes.allowed], [UID, true]);
    const no = await responseOf(await post(url, JSON.stringify(reviewOfObject(SNP))));
    assert.deepEqual([no.uid, no.allowed, no.status?.code], [UID, false, 403]);
    assert.match(no.status?.message ?? '', /\[snp-guest-unproven\].*\[page-state-changes-unproven\]/);
    const dry = await responseOf(await post(url, JSON.stringify(reviewOfObject(SNP, { dryRun: true }))));
    assert.equal(dry.allowed, false);
    const records = (await people.listAudit({ query: {} })).records.slice(before);
    assert.deepEqual(
      records.map(({ actor, action, subject, outcome }) => [actor, action, subject, outcome]),
      [['kubernetes', 'admit.kubevirt', 'shop/web-1', 'refused']],
    );
    assert.deepEqual((await people.listVms({})).vms, []);
  });

  test('answers that it has no answer, until the operator has said what it shall be', async (t) => {
    const { url, webhooks } = await startWithChoices(t, undefined);
    const answer = await post(url, JSON.stringify(reviewOfObject(SEV)));
    assert.equal(answer.status, 503);
    assert.equal(((await answer.json()) as { code: string }).code, 'WEBHOOK_NOT_CONFIGURED');
    const nova = await errorOf(webhooks.admitNova({ body: novaRequest({}, {}) }));
    assert.equal(nova.code, 'WEBHOOK_NOT_CONFIGURED');
  });

  test('takes the largest review that an API server sends, and keys that are none', async (t) => {
    const { url } = await startWithChoices(t, CHOICES);
    const big = { ...machine({ launchSecurity: { sev: {} } }), note: 'x'.repeat(20_000_000) };
    assert.equal((await responseOf(await post(url, JSON.stringify(reviewOfObject(big))))).allowed, true);
    const text = JSON.stringify(reviewOfObject(SNP)).replace('"metadata":{', '"metadata":{"__proto__":{"x":1},');
    assert.match(text, /__proto__/);
    assert.equal((await responseOf(await post(url, text))).allowed, false);
    const deep = JSON.stringify(reviewOfObject(SNP)).replace(
      '"status":{}',
      `"status":${'['.repeat(9000)}${']'.repeat(9000)}`,
    );
    assert.deepEqual((await responseOf(await post(url, deep))).status?.code, 413);
  });

  test('answers what is no review with an error, and goes on', async (t) => {
    const { url } = await startWithChoices(t, CHOICES);
    const good = reviewOfObject(SEV) as { request: object };
    for (const body of [
      '',
      '{',
      'null',
      '[]',
      '{}',
      JSON.stringify({ ...good, request: undefined }),
      JSON.stringify({ ...good, request: { ...good.request, uid: '' } }),
      JSON.stringify({ ...good, apiVersion: 'admission.k8s.io/v1beta1' }),
      '['.repeat(1_000_000),
    ]) {
      const answer = await post(url, body);
      assert.equal(answer.status, 400, body.slice(0, 60));
      assert.equal(((await answer.json()) as { code: string }).code, 'REQUEST_INVALID');
    }
    assert.equal((await responseOf(await post(url, JSON.stringify(good)))).allowed, true);
  });
});

describe('the check for Nova', () => {
  test('decides by the image that a rule finds for the Glance image, or by a verdict that is handed in', async (t) => {
    const { webhooks } = await startWithChoices(t, CHOICES);
    const sev = await webhooks.admitNova({ body: novaRequest({}, { 'hw:mem_encryption': 'true' }) });
    assert.deepEqual(
      [sev.allowed, sev.outcome, sev.type, sev.image, sev.locked],
      [true, 'may', 'sev', 'debian-13', true],
    );
    const snp = { 'hw:mem_encryption': 'true', 'hw:mem_encryption_model': 'amd-sev-snp' };
    const refused = await webhooks.admitNova({ body: novaRequest({ hw_firmware_stateless: 'true' }, snp) });
    assert.deepEqual([refused.allowed, refused.outcome, refused.locked], [false, 'unknown', false]);
    const inline = await webhooks.admitNova({ body: novaRequest({}, snp, { verdict: silentKernel }) });
    assert.ok(inline.reasons.some(({ exception }) => exception === 'FlavorImageConflict'));
  });
});

describe('admit', () => {
  test('takes a verdict in place of an image, and types that only others run; stores what it is asked to', async (t) => {
    const { people } = await startWithChoices(t, undefined);
    const before = (await people.listAudit({ query: {} })).records.length;
    const inline = await people.admit({ body: { verdict: silentKernel, type: 'sev-upm' } });
    assert.deepEqual(
      [inline.outcome, inline.bootSet, inline.image],
      ['may-not', silentKernel.bootSet.digest, undefined],
    );
    assert.deepEqual(
      inline.reasons.map(({ code }) => code),
      ['sev-guest-met', 'reports-conversions-unmet', 'reports-correctly-unmet'],
    );
    assert.ok(inline.reasons.every(({ remedy, evidence }) => remedy !== '' && evidence.length > 0));
    assert.deepEqual(inline.probation, { fallback: 'sev' });
    const snp = await people.admit({ body: { image: 'debian-13', type: 'sev-snp' } });
    assert.equal(snp.outcome, 'unknown');
    assert.equal((await people.listAudit({ query: {} })).records.length, before);
    await people.admit({ body: { image: 'debian-13', type: 'sev', audit: true } });
    const [record] = (await people.listAudit({ query: {} })).records.slice(before);
    assert.deepEqual([record?.action, record?.subject, record?.outcome], ['admit', 'debian-13', 'done']);
    assert.deepEqual((await people.listVms({})).vms, []);
  });

  test('of both an image and a verdict, of neither, or of a type that is none, is refused', async (t) => {
    const { people } = await startWithChoices(t, undefined);
    const both = people.admit({ body: { image: 'debian-13', verdict: rightKernel, type: 'sev' } });
    assert.equal((await errorOf(both)).code, 'REQUEST_INVALID');
    assert.equal((await errorOf(people.admit({ body: { type: 'sev' } }))).code, 'REQUEST_INVALID');
    assert.equal((await errorOf(people.admit({ body: { image: 'debian-13', type: 'sgx' } }))).code, 'VM_TYPE_UNKNOWN');
    assert.equal((await errorOf(people.admit({ body: { image: 'nothing', type: 'sev' } }))).code, 'NOT_FOUND');
  });
});

test('an admission file with half a choice, or a key that nobody reads, stops the start', async (t) => {
  const cases: [unknown, string][] = [
    [{ admission: { webhook: { unknown: 'refuse' } } }, 'CONFIG_INVALID'],
    [{ admission: { webhook: { unknown: 'maybe', onError: 'refuse' } } }, 'CONFIG_INVALID'],
    [{ admission: { webhook: { unknown: 'refuse', onerror: 'refuse' } } }, 'CONFIG_UNKNOWN_KEY'],
    [{ webhook: {} }, 'CONFIG_UNKNOWN_KEY'],
    [{ admission: { images: [{ from: 'iso', match: '*', image: 'a' }] } }, 'CONFIG_INVALID'],
  ];
  for (const [content, code] of cases) {
    const started = await tryStart(t, join(temporaryDir(t), 'db'), [
      'env',
      `UNPIN_ADMISSION=${admissionFile(t, content)}`,
    ]);
    assert.equal('error' in started && started.error.code, code, JSON.stringify(content));
  }
});

/** In this process, so that the database can be made to fail: over TLS, as the API server calls it. */
async function serveTls(t: TestContext, admission: AdmissionConfig, failing: Partial<Store>) {
  const store = await openSqlite(join(temporaryDir(t), 'unpin.sqlite'));
  const services: Services = {
    store: Object.assign(Object.create(store) as Store, failing),
    presence: new Presence(),
    log: pino({ level: 'silent' }),
    admission,
    now: () => 0,
    newUid: () => 'uid',
    ending: new AbortController().signal,
  };
  const app = buildApp(services);
  await app.ready();
  const dir = temporaryDir(t);
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '1'];
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...subject];
  execFileSync('openssl', [...args, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const ca = readFileSync(cert);
  const server = createServer({ key: readFileSync(key), cert: ca }, (request, reply) => app.routing(request, reply));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.close();
    await app.close();
    await store.close();
  });
  const { port } = server.address() as AddressInfo;
  return (body: unknown) =>
    new Promise<AdmissionReviewAnswer>((resolve, reject) => {
      const options = {
        host: 'localhost',
        port,
        path: '/v1/webhooks/kubevirt?timeout=10s',
        method: 'POST',
        ca,
        headers: { 'content-type': 'application/json', accept: 'application/json, */*' },
      };
      httpsRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as AdmissionReviewAnswer));
      })
        .on('error', reject)
        .end(JSON.stringify(body));
    });
}

const NO_OPENSSL = spawnSync('openssl', ['version']).status !== 0 && 'needs openssl to make a certificate';

async function gone(): Promise<never> {
  throw new Error('the database is gone');
}

function withWebhook(onError: 'refuse' | 'allow'): AdmissionConfig {
  return { ...CHOICES, webhook: { unknown: 'allow', onError } };
}

describe('over TLS, as the API server calls it', { skip: NO_OPENSSL }, () => {
  test('an error is refused or let through as the operator chose, and always answered', async (t) => {
    for (const onError of ['refuse', 'allow'] as const) {
      const ask = await serveTls(t, withWebhook(onError), { read: gone });
      const { response } = await ask(reviewOfObject(SEV));
      assert.deepEqual([response.uid, response.allowed], [UID, onError === 'allow']);
      assert.equal(response.status?.code, onError === 'allow' ? undefined : 503);
      // What needs no database needs no luck either.
      assert.equal((await ask(reviewOfObject(machine({})))).response.allowed, true);
    }
  });

  test('a refusal stands although it could not be recorded', async (t) => {
    const ask = await serveTls(t, CHOICES, { write: gone });
    const { response } = await ask(reviewOfObject(SEV));
    assert.deepEqual([response.allowed, response.auditAnnotations?.['reasons']], [false, 'image-unknown']);
  });

  test('an unknown image is let through with a warning where the operator chose so', async (t) => {
    const ask = await serveTls(t, withWebhook('refuse'), {});
    const { response } = await ask(reviewOfObject(SEV));
    assert.equal(response.allowed, true);
    assert.match(response.warnings?.join() ?? '', /image-unknown/);
  });
});

test('the tables of people, hosts and webhooks share no path', () => {
  const paths = [controlRoutes, hostRoutes, webhookRoutes].flatMap((routes) =>
    Object.values(routes).map(({ method, path }) => `${method} ${path}`),
  );
  assert.equal(new Set(paths).size, paths.length);
});
