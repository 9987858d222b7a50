import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assetPath, findAsset } from '@unpin/test-host';
import { unpin } from './unpin.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'unpin-admit-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, content: unknown): string {
  const path = join(dir, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const UNKNOWN = { answer: 'unknown', level: 'unknown', summary: 'not looked at', evidence: [] };
const YES = { answer: 'yes', level: 'proven', summary: 'has it', evidence: [{ signal: 's', where: 'w', seen: 'x' }] };
const NO = { answer: 'no', level: 'proven', summary: 'lacks it', evidence: [] };

function verdict(statements: Record<string, unknown>) {
  const ids = 'sev-guest sev-es-guest snp-guest page-state-changes tdx-guest unaccepted-memory reports-conversions';
  return {
    bootSet: { digest: 'd', kernel: { name: 'vmlinuz', sha256: 's', bytes: 1 } },
    inspector: 'kernel-1',
    kernel: { container: 'bzImage 2.15', payload: 'xz' },
    statements: {
      ...Object.fromEntries([...ids.split(' '), 'reports-correctly'].map((id) => [id, UNKNOWN])),
      ...statements,
    },
    obstacles: [],
  };
}

describe('unpin admit', () => {
  test('answers by its exit status, from a verdict alone', async () => {
    const cases: [Record<string, unknown>, number][] = [
      [{ 'sev-guest': YES }, 0],
      [{ 'sev-guest': NO }, 1],
      [{}, 2],
    ];
    for (const [statements, exit] of cases) {
      const ran = await unpin(['admit', '--verdict', file('v.json', verdict(statements)), '--type', 'sev']);
      assert.equal(ran.code, exit, ran.stderr);
    }
  });

  test('explains with evidence and what else there is; --json has it all', async () => {
    const path = file('v.json', {
      verdict: verdict({ 'sev-guest': YES, 'snp-guest': YES, 'page-state-changes': YES }),
    });
    const short = await unpin(['admit', '--verdict', path, '--type', 'sev']);
    assert.doesNotMatch(short.stdout, /evidence:|to gain/);
    const long = await unpin(['admit', '--verdict', path, '--type', 'sev', '--explain']);
    assert.match(
      long.stdout,
      /sev-guest-met[\s\S]*evidence: s in w: x[\s\S]*to gain\s+as sev-snp: memory is allocated/,
    );
    const json = await unpin(['--json', 'admit', '--verdict', path, '--type', 'sev-upm']);
    const answer = JSON.parse(json.stdout) as { outcome: string; reasons: { code: string; remedy: string }[] };
    assert.equal(json.code, 2);
    assert.deepEqual(
      answer.reasons.map(({ code }) => code),
      ['sev-guest-met', 'reports-conversions-unproven', 'reports-correctly-unproven'],
    );
  });

  test('of what is no verdict, of several images or of none, is refused', async () => {
    const bad = await unpin(['admit', '--verdict', file('bad.json', { verdict: {} }), '--type', 'sev']);
    assert.deepEqual([bad.code, /VERDICT_INVALID/.test(bad.stderr)], [65, true]);
    assert.equal((await unpin(['admit', '--verdict', file('no.json', '{'), '--type', 'sev'])).code, 64);
    assert.equal((await unpin(['admit', '--type', 'sev'])).code, 64);
    assert.equal((await unpin(['admit', 'a', '--image', 'b', '--type', 'sev'])).code, 64);
    assert.equal((await unpin(['admit', '--image', 'b'])).code, 64);
    assert.equal((await unpin(['admit', '--verdict', join(dir, 'absent'), '--type', 'sev'])).code, 66);
  });

  test('inspects a file', {
    skip: findAsset('kernel-5.10-cloud') === undefined && 'needs kernel-5.10-cloud: unpin test-host fetch',
  }, async () => {
    const ran = await unpin(['admit', assetPath('kernel-5.10-cloud'), '--type', 'sev-upm']);
    assert.equal(ran.code, 1, ran.stderr);
    assert.match(ran.stdout, /reports-conversions-unmet/);
  });
});

describe('unpin admit nova', () => {
  const properties = { hw_firmware_type: 'uefi', hw_machine_type: 'q35', hw_mem_encryption: 'true' };
  const specs = { 'hw:mem_encryption': 'true', 'hw:mem_encryption_model': 'amd-sev-es' };

  test('reads what Glance, Nova and the openstack client print', async () => {
    const good = file('v.json', verdict({ 'sev-guest': YES, 'sev-es-guest': YES }));
    const images = [
      { id: '1', name: 'debian', status: 'active', disk_format: 'qcow2', ...properties },
      { id: '1', name: 'debian', properties: { ...properties, os_hash_algo: 'sha512' } },
      properties,
    ];
    const flavors = [
      { flavor: { id: '1', name: 'c8', vcpus: 8, extra_specs: specs } },
      { name: 'c8', vcpus: 8, properties: specs },
      { name: 'c8', properties: "hw:mem_encryption='true', hw:mem_encryption_model='amd-sev-es'" },
      specs,
    ];
    for (const image of images)
      for (const flavor of flavors) {
        const args = ['--image-properties', file('i.json', image), '--flavor', file('f.json', flavor)];
        const ran = await unpin(['--json', 'admit', 'nova', ...args, '--verdict', good]);
        const answer = JSON.parse(ran.stdout) as { outcome: string; type: string };
        assert.deepEqual([ran.code, answer.outcome, answer.type], [0, 'may', 'sev-es'], ran.stdout + ran.stderr);
      }
  });

  test("names Nova's exception", async () => {
    const image = file('i.json', { ...properties, hw_mem_encryption: 'false' });
    const args = [
      '--image-properties',
      image,
      '--flavor',
      file('f.json', specs),
      '--verdict',
      file('v.json', verdict({})),
    ];
    const ran = await unpin(['admit', 'nova', ...args]);
    assert.equal(ran.code, 1);
    assert.match(ran.stdout, /nova-encryption-conflict \(Nova: FlavorImageConflict\)/);
  });
});

function args(webhook: unknown, ...more: string[]): readonly string[] {
  const admission = webhook === undefined ? {} : { webhook };
  return ['webhook', 'manifest', '--admission', file('a.json', { admission }), ...more];
}

describe('unpin webhook manifest', () => {
  test('has the failurePolicy and the side effects of the operator’s choices', async () => {
    const closed = await unpin(args({ unknown: 'allow', onError: 'refuse' }, '--service', 'unpin/control'));
    assert.match(
      closed.stdout,
      /failurePolicy: Fail\n[\s\S]*sideEffects: None\n[\s\S]*namespace: unpin\n\s+name: control\n/,
    );
    const open = await unpin(
      args({ unknown: 'refuse', onError: 'allow', audit: true }, '--url', 'https://unpin:8443/'),
    );
    assert.match(open.stdout, /failurePolicy: Ignore\n[\s\S]*sideEffects: NoneOnDryRun\n/);
    assert.match(open.stdout, /url: https:\/\/unpin:8443\/v1\/webhooks\/kubevirt\n/);
  });

  test('carries the certificates', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const ran = await unpin(
      args({ unknown: 'allow', onError: 'refuse' }, '--service', 'a/b:8443', '--ca', file('ca.pem', pem)),
    );
    const bundle = /caBundle: (\S+)/.exec(ran.stdout)?.[1] ?? '';
    assert.equal(Buffer.from(bundle, 'base64').toString(), pem);
  });

  test('is not guessed: without a choice, without TLS or with nowhere to go there is none', async () => {
    const chosen = { unknown: 'allow', onError: 'refuse' };
    assert.match((await unpin(args(undefined, '--service', 'a/b'))).stderr, /WEBHOOK_NOT_CONFIGURED/);
    assert.equal((await unpin(args(chosen, '--url', 'http://unpin'))).code, 64);
    assert.equal((await unpin(args(chosen, '--service', 'a/b\nevil: yes'))).code, 64);
    assert.equal((await unpin(args(chosen))).code, 64);
  });
});
