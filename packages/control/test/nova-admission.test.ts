import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NovaAdmitAnswer, NovaAdmitRequest, VerdictMessage, WebhookConfig } from '@unpin/contract';
import { judgeNova } from '@unpin/policy';
import * as fc from 'fast-check';
import { admitNova } from '../src/admission/nova/admit-nova.ts';
import { GLANCE_ID, glanceProperties, novaRequest } from './support/nova.ts';
import { finding, rightKernel, unreadKernel, verdict } from './support/verdicts.ts';

const snpKernel = verdict('6.12-snp', {
  ...rightKernel.statements,
  'snp-guest': finding('yes', 'has the code of an SEV-SNP guest', 'vmlinux'),
  'page-state-changes': finding('yes', 'announces page state changes', 'vmlinux'),
});
const plainKernel = verdict('plain', { 'sev-guest': finding('no', 'no SEV code', 'config') });
const REFUSE: WebhookConfig = { unknown: 'refuse', onError: 'refuse' };

function ask(
  request: NovaAdmitRequest,
  webhook = REFUSE,
  images: Readonly<Record<string, VerdictMessage>> = { good: snpKernel },
): Promise<NovaAdmitAnswer> {
  return admitNova(request, {
    webhook,
    rules: [{ from: 'glance-id', match: GLANCE_ID, image: 'good' }],
    find: async (image) => ({ kind: 'judged', image, verdict: images[image] ?? unreadKernel }),
  });
}

function codes(answer: NovaAdmitAnswer): readonly string[] {
  return answer.reasons.filter(({ outcome }) => outcome !== 'met').map(({ code }) => code);
}

describe('the model that flavor and image come to', () => {
  const cases: [Record<string, unknown>, Record<string, unknown>, string, string | undefined][] = [
    [{}, { 'hw:mem_encryption': 'true' }, 'amd-sev', 'sev'],
    [{ hw_mem_encryption: 'True' }, {}, 'amd-sev', 'sev'],
    [{ hw_mem_encryption: true }, { 'hw:mem_encryption': 'yes' }, 'amd-sev', 'sev'],
    [{}, { 'hw:mem_encryption': '1', 'hw:mem_encryption_model': 'amd-sev-es' }, 'amd-sev-es', 'sev-es'],
    [{ hw_mem_encryption_model: 'amd-sev-es' }, { 'hw:mem_encryption': 'true' }, 'amd-sev-es', 'sev-es'],
    [
      { hw_mem_encryption: 'true', hw_mem_encryption_model: 'amd-sev-snp', hw_firmware_stateless: 'true' },
      {},
      'amd-sev-snp',
      'sev-snp',
    ],
    [
      { hw_firmware_stateless: 'true', hw_video_model: 'none' },
      { 'hw:mem_encryption': 'true', 'hw:mem_encryption_model': 'intel-tdx' },
      'intel-tdx',
      undefined,
    ],
  ];
  for (const [image, specs, model, type] of cases)
    test(`${JSON.stringify(image)} and ${JSON.stringify(specs)}: ${model}`, async () => {
      const answer = await ask(novaRequest(image, specs));
      assert.deepEqual([answer.model, answer.type], [model, type]);
      assert.deepEqual(
        answer.reasons.filter((reason) => reason.exception !== undefined),
        [],
      );
    });

  test('none: nothing to decide, whatever the image is', async () => {
    for (const specs of [{}, { 'hw:mem_encryption': 'false' }, { 'hw:cpu_policy': 'dedicated' }]) {
      const answer = await ask(novaRequest({}, specs), REFUSE, { good: plainKernel });
      assert.deepEqual([answer.outcome, answer.allowed, answer.reasons], ['untouched', true, []]);
    }
  });
});

describe("Nova's own rules, each with the exception that Nova raises", () => {
  const sev = { 'hw:mem_encryption': 'true' };
  const cases: [string, Record<string, unknown>, Record<string, unknown>, string][] = [
    ['nova-encryption-conflict', { hw_mem_encryption: 'false' }, sev, 'FlavorImageConflict'],
    ['nova-encryption-conflict', { hw_mem_encryption: 'true' }, { 'hw:mem_encryption': 'no' }, 'FlavorImageConflict'],
    [
      'nova-model-conflict',
      { hw_mem_encryption_model: 'amd-sev-es' },
      { ...sev, 'hw:mem_encryption_model': 'amd-sev' },
      'FlavorImageConflict',
    ],
    ['nova-model-unknown', {}, { ...sev, 'hw:mem_encryption_model': 'amd-sme' }, 'FlavorImageConflict'],
    ['nova-model-without-encryption', { hw_mem_encryption_model: 'amd-sev' }, {}, 'FlavorImageConflict'],
    ['nova-firmware-not-uefi', { hw_firmware_type: 'bios' }, sev, 'FlavorImageConflict'],
    ['nova-machine-type', { hw_machine_type: 'pc-i440fx-9.2' }, sev, 'InvalidMachineType'],
    [
      'nova-firmware-not-stateless',
      { hw_firmware_stateless: 'false' },
      { ...sev, 'hw:mem_encryption_model': 'amd-sev-snp' },
      'FlavorImageConflict',
    ],
    [
      'nova-video-model',
      { hw_firmware_stateless: 'true' },
      { ...sev, 'hw:mem_encryption_model': 'intel-tdx' },
      'FlavorImageConflict',
    ],
    [
      'nova-locked-memory-conflict',
      { hw_locked_memory: 'false' },
      { ...sev, 'hw:locked_memory': 'true', 'hw:mem_page_size': 'small' },
      'FlavorImageLockedMemoryConflict',
    ],
    ['nova-locked-memory-without-page-size', {}, { ...sev, 'hw:locked_memory': 'true' }, 'LockMemoryForbidden'],
  ];
  for (const [code, image, specs, exception] of cases)
    test(`${code}: ${JSON.stringify(image)} and ${JSON.stringify(specs)}`, async () => {
      const answer = await ask(novaRequest(image, specs), { unknown: 'allow', onError: 'allow' });
      assert.deepEqual([answer.outcome, answer.allowed], ['may-not', false]);
      assert.deepEqual(
        answer.reasons
          .filter((reason) => reason.exception !== undefined)
          .map((reason) => [reason.code, reason.exception]),
        [[code, exception]],
      );
    });

  test('all that fail speak at once, and the verdict with them', async () => {
    const request = novaRequest({ hw_firmware_type: 'bios', hw_machine_type: 'pc', hw_mem_encryption: 'no' }, sev);
    const answer = await ask(request, REFUSE, { good: plainKernel });
    assert.deepEqual(codes(answer), [
      'nova-encryption-conflict',
      'nova-firmware-not-uefi',
      'nova-machine-type',
      'sev-guest-unmet',
    ]);
  });

  test('a versioned q35 will do, and none at all is left to nova.conf with a warning', async () => {
    assert.equal((await ask(novaRequest({ hw_machine_type: 'pc-q35-9.2' }, sev))).outcome, 'may');
    const { hw_machine_type: _, ...properties } = glanceProperties();
    const answer = await ask({ ...novaRequest({}, sev), image: { id: GLANCE_ID, properties } });
    assert.equal(answer.outcome, 'may');
    assert.match(answer.warnings.join(), /nova\.conf/);
  });
});

function locked(model: string, extraSpecs: Record<string, unknown> = {}) {
  return judgeNova({
    image: glanceProperties({ hw_firmware_stateless: 'true' }),
    extraSpecs: { 'hw:mem_encryption': 'true', 'hw:mem_encryption_model': model, ...extraSpecs },
  });
}

describe('locked memory', () => {
  test('goes with SEV and SEV-ES, and not with SEV-SNP: what pinning costs today', () => {
    assert.deepEqual(
      ['amd-sev', 'amd-sev-es', 'amd-sev-snp'].map((model) => locked(model).locked),
      [true, true, false],
    );
  });

  test('that the flavor forbids is locked all the same, which is said', () => {
    const { locked: is, warnings } = locked('amd-sev', { 'hw:locked_memory': 'false', 'hw:mem_page_size': 'small' });
    assert.equal(is, true);
    assert.match(warnings.join(), /locked_memory=false has no effect/);
  });
});

describe('the image', () => {
  const specs = { 'hw:mem_encryption': 'true' };

  test('is the verdict that is handed in, else what a rule says of its id, else its own property', async () => {
    const inline = await ask(novaRequest({}, specs, { verdict: plainKernel }));
    assert.deepEqual([inline.outcome, inline.image], ['may-not', undefined]);
    assert.deepEqual((await ask(novaRequest({}, specs))).image, 'good');
    const other = {
      ...novaRequest({ unpin_image: 'own' }, specs),
      image: { properties: { ...glanceProperties(), unpin_image: 'own' } },
    };
    assert.equal((await ask(other, REFUSE, { own: snpKernel })).image, 'own');
    assert.deepEqual(codes(await ask(other, { ...REFUSE, annotation: 'ignore' })), ['image-not-mapped']);
  });

  test('that nobody knows goes by the operator’s choice', async () => {
    const unknown = { ...novaRequest({}, specs), image: { properties: glanceProperties() } };
    for (const choice of ['refuse', 'allow'] as const) {
      const answer = await ask(unknown, { unknown: choice, onError: 'refuse' });
      assert.deepEqual(
        [answer.outcome, answer.allowed, codes(answer)],
        ['unknown', choice === 'allow', ['image-not-mapped']],
      );
    }
  });

  test('may gain by another model that Nova has', async () => {
    const { carrots } = await ask(novaRequest({}, specs));
    assert.deepEqual(
      carrots.map(({ type }) => type),
      ['sev-snp'],
    );
  });
});

test('properties of any kind end in an answer', async () => {
  const names = fc.constantFrom(
    ...'hw_mem_encryption hw_mem_encryption_model hw_firmware_type hw_machine_type hw_firmware_stateless'.split(' '),
    ...'hw_locked_memory hw:mem_encryption hw:mem_encryption_model hw:locked_memory hw:mem_page_size __proto__'.split(
      ' ',
    ),
  );
  const properties = fc.dictionary(names, fc.oneof(fc.anything(), fc.constantFrom('true', 'amd-sev', 'uefi', 'q35')));
  await fc.assert(
    fc.asyncProperty(properties, properties, async (image, specs) => {
      const answer = await ask({ image: { id: GLANCE_ID, properties: image }, flavor: { extra_specs: specs } });
      assert.equal(answer.allowed, answer.outcome === 'may' || answer.outcome === 'untouched');
      JSON.stringify(answer);
    }),
    { numRuns: 1000 },
  );
});
