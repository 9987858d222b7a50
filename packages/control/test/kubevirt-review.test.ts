import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AdmissionReviewAnswer, ImageRule, VerdictMessage, WebhookConfig } from '@unpin/contract';
import * as fc from 'fast-check';
import { answerError, answerReview } from '../src/admission/kubevirt/answer.ts';
import { decideReview } from '../src/admission/kubevirt/decide-review.ts';
import { reviewOf } from '../src/admission/kubevirt/review.ts';
import { instance, type MachineParts, machine, reviewOfObject, UID } from './support/kubevirt.ts';
import { finding, rightKernel, unreadKernel, verdict } from './support/verdicts.ts';

const snpKernel = verdict('6.12-snp', {
  ...rightKernel.statements,
  'sev-es-guest': finding('yes', 'handles #VC', 'vmlinux'),
  'snp-guest': finding('yes', 'has the code of an SEV-SNP guest', 'vmlinux'),
  'page-state-changes': finding('yes', 'announces page state changes', 'vmlinux'),
  'tdx-guest': finding('yes', 'has the code of a TDX guest', 'vmlinux'),
});
const plainKernel = verdict('plain', {
  'sev-guest': finding('no', 'built without CONFIG_AMD_MEM_ENCRYPT', 'config'),
  'snp-guest': finding('no', 'built without CONFIG_AMD_MEM_ENCRYPT', 'config'),
  'tdx-guest': finding('no', 'built without CONFIG_INTEL_TDX_GUEST', 'config'),
});

const IMAGES: Readonly<Record<string, VerdictMessage>> = {
  good: snpKernel,
  plain: plainKernel,
  unread: unreadKernel,
};
const DEBIAN: ImageRule = { from: 'container-disk', match: 'quay.io/containerdisks/debian:*', image: 'good' };
const REFUSE: WebhookConfig = { unknown: 'refuse', onError: 'refuse' };
const ALLOW: WebhookConfig = { unknown: 'allow', onError: 'allow' };

async function ask(
  review: Record<string, unknown>,
  { webhook = REFUSE, rules = [DEBIAN] as readonly ImageRule[] } = {},
): Promise<AdmissionReviewAnswer['response']> {
  const parsed = reviewOf((review as { request: { uid: string } }).request);
  const decision = await decideReview(parsed, {
    webhook,
    rules: [...rules],
    find: async (image) => {
      const found = Object.hasOwn(IMAGES, image) ? IMAGES[image] : undefined;
      return found === undefined
        ? {
            kind: 'missing',
            image,
            reason: {
              code: 'image-unknown',
              outcome: 'unproven',
              says: 'a verdict',
              found: { answer: 'unknown', level: 'unknown', summary: `unpin has no image ${image}` },
              evidence: [],
              why: '',
              remedy: 'add it',
            },
          }
        : { kind: 'judged', image, verdict: found };
    },
  });
  const answer = answerReview(parsed.uid, decision, webhook);
  assert.deepEqual([answer.apiVersion, answer.kind], ['admission.k8s.io/v1', 'AdmissionReview']);
  return answer.response;
}

const WAYS = {
  sev: { sev: {} },
  'sev-es': { sev: { policy: { encryptedState: true } } },
  'sev-snp': { snp: {} },
  tdx: { tdx: {} },
} as const;

describe('launchSecurity', () => {
  for (const [type, launchSecurity] of Object.entries(WAYS))
    for (const make of [machine, instance])
      test(`of a ${make === machine ? 'VirtualMachine' : 'VirtualMachineInstance'} asks for ${type}`, async () => {
        const yes = await ask(reviewOfObject(make({ launchSecurity })));
        assert.equal(yes.uid, UID);
        assert.equal(yes.allowed, true);
        assert.deepEqual(
          [yes.auditAnnotations?.['decision'], yes.auditAnnotations?.['type'], yes.auditAnnotations?.['image']],
          ['may', type, 'good'],
        );
        const no = await ask(reviewOfObject(make({ launchSecurity })), { rules: [{ ...DEBIAN, image: 'plain' }] });
        assert.deepEqual([no.allowed, no.status?.code, no.status?.reason], [false, 403, 'Forbidden']);
        assert.match(no.status?.message ?? '', /image plain may not run as .*-guest-unmet\].*to mend it: use a kernel/);
      });

  test('absent: an ordinary VM is let through untouched, whatever else is in it', async () => {
    const answer = await ask(reviewOfObject(machine({ volumes: [{ name: 'a' }, { name: 'a' }] })));
    assert.deepEqual([answer.allowed, answer.auditAnnotations?.['decision']], [true, 'untouched']);
    assert.equal(answer.status, undefined);
  });

  test('of several ways, or of one that nobody knows, is refused under every choice', async () => {
    for (const launchSecurity of [
      { sev: {}, snp: {} },
      { sgx: {} },
      { sev: { policy: { encryptedState: 'yes' } } },
      [],
    ])
      for (const webhook of [REFUSE, ALLOW]) {
        const answer = await ask(reviewOfObject(machine({ launchSecurity })), { webhook });
        assert.deepEqual([answer.allowed, answer.status?.code, answer.status?.reason], [false, 422, 'Invalid']);
      }
  });

  test('may be added by an instancetype: the machine is let through, and its instance is what is judged', async () => {
    const answer = await ask(reviewOfObject(machine({}, { instancetype: { name: 'confidential.large' } })));
    assert.equal(answer.allowed, true);
    assert.match(answer.warnings?.join() ?? '', /VirtualMachineInstance is what will be judged/);
  });
});

describe('the warnings of a yes', () => {
  test('say what the new type would give, of those that KubeVirt has', async () => {
    const { warnings = [] } = await ask(reviewOfObject(machine({ launchSecurity: WAYS.sev })));
    assert.match(warnings.join('\n'), /as sev-snp this image would gain: memory is allocated as it is used/);
    assert.doesNotMatch(warnings.join('\n'), /upm|deferred/);
  });

  test('are none where nothing is to be gained', async () => {
    assert.equal((await ask(reviewOfObject(machine({ launchSecurity: WAYS['sev-snp'] })))).warnings, undefined);
  });
});

async function imageOf(object: Record<string, unknown>, rules: readonly ImageRule[], webhook = ALLOW) {
  return (await ask(reviewOfObject(object), { rules, webhook })).auditAnnotations?.['image'];
}

function disks(order: Record<string, number>): readonly unknown[] {
  return ['a', 'b'].map((name) => ({
    name,
    disk: {},
    ...(order[name] === undefined ? {} : { bootOrder: order[name] }),
  }));
}

function templates(spec: Record<string, unknown>): Record<string, unknown> {
  return { dataVolumeTemplates: [{ metadata: { name: 'web-1-root' }, spec: { storage: {}, ...spec } }] };
}

function sev(parts: MachineParts): MachineParts {
  return { launchSecurity: WAYS.sev, ...parts };
}

describe('the image', () => {
  test('is that of the disk with the lowest bootOrder, else of the first that can boot', async () => {
    const rules: ImageRule[] = ['a', 'b'].map((match) => ({ from: 'container-disk', match, image: `image-${match}` }));
    const volumes = ['a', 'b'].map((name) => ({ name, containerDisk: { image: name } }));
    assert.equal(await imageOf(instance(sev({ volumes, disks: disks({}) })), rules), 'image-a');
    assert.equal(await imageOf(instance(sev({ volumes, disks: disks({ b: 1 }) })), rules), 'image-b');
    assert.equal(await imageOf(instance(sev({ volumes, disks: disks({ a: 2, b: 1 }) })), rules), 'image-b');
    assert.equal(await imageOf(instance(sev({ volumes, disks: [] })), rules), 'image-a');
  });

  test('is found by a kernel container, a claim, a DataVolume’s name, and where a template’s content comes from', async () => {
    const volumes = [{ name: 'root', dataVolume: { name: 'web-1-root' } }];
    const cases: [Record<string, unknown>, Omit<ImageRule, 'image'>][] = [
      [
        instance(sev({ firmware: { kernelBoot: { container: { image: 'reg/kernel:1', kernelPath: '/vmlinuz' } } } })),
        { from: 'kernel-boot', match: 'reg/kernel:*' },
      ],
      [
        instance(sev({ volumes: [{ name: 'root', persistentVolumeClaim: { claimName: 'debian-root' } }] })),
        { from: 'pvc', match: 'debian-*', namespace: 'shop' },
      ],
      [
        instance(sev({ volumes: [{ name: 'root', ephemeral: { persistentVolumeClaim: { claimName: 'gold' } } }] })),
        { from: 'pvc', match: 'gold' },
      ],
      [instance(sev({ volumes })), { from: 'data-volume', match: 'web-*-root', namespace: 'sh*' }],
      [
        machine(sev({ volumes }), templates({ source: { registry: { url: 'docker://reg/debian:13' } } })),
        { from: 'registry', match: '*debian:13' },
      ],
      [
        machine(sev({ volumes }), templates({ source: { http: { url: 'https://a/debian.qcow2' } } })),
        { from: 'http', match: 'https://a/*' },
      ],
      [
        machine(sev({ volumes }), templates({ source: { pvc: { name: 'gold', namespace: 'images' } } })),
        { from: 'pvc', match: 'gold', namespace: 'images' },
      ],
      [
        machine(
          sev({ volumes }),
          templates({ sourceRef: { kind: 'DataSource', name: 'debian', namespace: 'images' } }),
        ),
        { from: 'data-source', match: 'debian', namespace: 'images' },
      ],
    ];
    for (const [object, rule] of cases) {
      assert.equal(await imageOf(object, [{ ...rule, image: 'good' }]), 'good', JSON.stringify(rule));
      assert.equal(await imageOf(object, [{ ...rule, match: 'another', image: 'good' }]), undefined);
      assert.equal(await imageOf(object, [{ ...rule, namespace: 'another', image: 'good' }]), undefined);
    }
  });

  test('on a disk that has no name is not known, and no other disk is taken for it', async () => {
    const data = { name: 'data', containerDisk: { image: 'quay.io/containerdisks/debian:13' } };
    for (const source of [{ hostDisk: { path: '/disk.img', type: 'Disk' } }, { newKind: {} }]) {
      const volumes = [{ name: 'root', ...source }, data];
      assert.equal(await imageOf(instance(sev({ volumes, disks: [] })), [DEBIAN]), undefined);
    }
    const empty = { name: 'scratch', emptyDisk: { capacity: '1Gi' } };
    assert.equal(await imageOf(instance(sev({ volumes: [empty, data], disks: [] })), [DEBIAN]), 'good');
    const two = { ...data, ephemeral: { persistentVolumeClaim: { claimName: 'a' } } };
    const answer = await ask(reviewOfObject(instance(sev({ volumes: [two] }))), { webhook: ALLOW });
    assert.equal(answer.status?.code, 422);
  });

  test('that only a template shows comes with advice for its instance, which shows a name', async () => {
    const object = machine(sev({ volumes: [{ name: 'root', dataVolume: { name: 'r' } }] }), {
      dataVolumeTemplates: [{ metadata: { name: 'r' }, spec: { source: { http: { url: 'http://a' } } } }],
    });
    const { warnings = [] } = await ask(reviewOfObject(object), {
      rules: [{ from: 'http', match: 'http://a', image: 'good' }],
    });
    assert.match(warnings.join(), /annotate its template unpin\.dev\/image=good/);
  });

  test('of an annotation counts where no rule fits and the operator accepts it; a rule outweighs it', async () => {
    const annotations = { 'unpin.dev/image': 'plain' };
    for (const object of [machine(sev({ annotations })), instance(sev({ annotations }))]) {
      assert.equal(await imageOf(object, []), 'plain');
      assert.equal(await imageOf(object, [], { ...ALLOW, annotation: 'ignore' }), undefined);
      assert.equal(await imageOf(object, [DEBIAN]), 'good');
    }
    const { warnings = [] } = await ask(reviewOfObject(machine(sev({ annotations }))));
    assert.match(warnings.join(), /unpin\.dev\/image=plain does not count/);
  });
});

describe('what is not known', () => {
  const cases: [string, readonly ImageRule[], string][] = [
    ['no rule fits', [], 'image-not-mapped'],
    ['unpin has no such image', [{ ...DEBIAN, image: 'nothing' }], 'image-unknown'],
    ['the verdict leaves it open', [{ ...DEBIAN, image: 'unread' }], 'sev-guest-unproven'],
  ];
  for (const [name, rules, code] of cases)
    test(`${name}: the operator's choice decides, and ${code} is told`, async () => {
      const review = reviewOfObject(machine({ launchSecurity: WAYS.sev }));
      const refused = await ask(review, { rules, webhook: { ...REFUSE, onError: 'allow' } });
      assert.deepEqual([refused.allowed, refused.status?.code], [false, 403]);
      assert.match(refused.status?.message ?? '', new RegExp(`\\[${code}\\]`));
      const through = await ask(review, { rules, webhook: { ...ALLOW, onError: 'refuse' } });
      assert.equal(through.allowed, true);
      assert.match(through.warnings?.join() ?? '', new RegExp(`let through unjudged: .*\\[${code}\\]`));
      assert.equal(through.auditAnnotations?.['reasons'], code);
    });

  test('a lack that is proven is refused where the operator lets the unknown through', async () => {
    const answer = await ask(reviewOfObject(machine({ launchSecurity: WAYS.sev })), {
      webhook: ALLOW,
      rules: [{ ...DEBIAN, image: 'plain' }],
    });
    assert.equal(answer.allowed, false);
  });
});

describe('operations', () => {
  const secure = machine({ launchSecurity: WAYS.sev });
  const toPlain = { rules: [{ ...DEBIAN, image: 'plain' }] };

  test('DELETE, CONNECT, subresources and other kinds are let through', async () => {
    for (const more of [
      { operation: 'DELETE', object: null, oldObject: secure },
      { operation: 'CONNECT' },
      { operation: 'UPDATE', subResource: 'status' },
      { kind: { group: 'apps', version: 'v1', kind: 'Deployment' } },
      { kind: { group: 'kubevirt.io', version: 'v1', kind: 'VirtualMachinePool' } },
    ]) {
      const answer = await ask(reviewOfObject(secure, more), toPlain);
      assert.deepEqual(
        [answer.allowed, answer.auditAnnotations?.['decision']],
        [true, 'untouched'],
        JSON.stringify(more),
      );
    }
  });

  test('an update that leaves image and launchSecurity alone is let through: those who have it go on', async () => {
    const scaled = structuredClone(secure) as { spec: { runStrategy: string } };
    scaled.spec.runStrategy = 'Halted';
    const answer = await ask(reviewOfObject(scaled, { operation: 'UPDATE', oldObject: secure }), toPlain);
    assert.equal(answer.allowed, true);
  });

  test('an update that adds launchSecurity, or changes the image, is judged as a new one is', async () => {
    for (const oldObject of [
      machine({}),
      machine({ launchSecurity: WAYS.tdx }),
      machine({ launchSecurity: WAYS.sev, volumes: [{ name: 'root', containerDisk: { image: 'other' } }] }),
      null,
      'garbage',
    ])
      assert.equal((await ask(reviewOfObject(secure, { operation: 'UPDATE', oldObject }), toPlain)).allowed, false);
  });

  test('what is being deleted can always be updated, or its finalizers would never go', async () => {
    const going = {
      ...structuredClone(secure),
      metadata: { name: 'web-1', deletionTimestamp: '2026-11-23T00:00:00Z' },
    };
    const broken = { ...going, spec: { template: 5 } };
    for (const object of [going, broken])
      assert.equal(
        (await ask(reviewOfObject(object, { operation: 'UPDATE', oldObject: null }), toPlain)).allowed,
        true,
      );
    // Nobody creates what is being deleted: there it counts for nothing.
    assert.equal((await ask(reviewOfObject(going), toPlain)).allowed, false);
  });
});

describe('hostile objects', () => {
  test('of great depth or size are refused where they ask for launchSecurity, and harmless elsewhere', async () => {
    let deep: unknown = {};
    for (let i = 0; i < 50_000; i++) deep = [deep];
    for (const extra of [deep, Array.from({ length: 200_000 }, () => 0)]) {
      const hostile = { ...machine({ launchSecurity: WAYS.sev }), extra };
      const answer = await ask(reviewOfObject(hostile), { webhook: ALLOW });
      assert.deepEqual([answer.allowed, answer.status?.code], [false, 413]);
      assert.equal((await ask(reviewOfObject({ ...machine({}), extra }))).allowed, true);
    }
  });

  test('with names that are no names get an answer that the API server can print', async () => {
    const annotations = { 'unpin.dev/image': `a\r\nWarning: 299 - "b"\u0000\u202e${'x'.repeat(2000)}` };
    const answer = await ask(reviewOfObject(machine({ launchSecurity: WAYS.sev, annotations })), {
      rules: [],
      webhook: ALLOW,
    });
    for (const text of [...(answer.warnings ?? []), ...Object.values(answer.auditAnnotations ?? {})])
      assert.doesNotMatch(text, /[\p{Cc}\p{Cf}]/u);
    assert.ok((answer.warnings ?? []).every((text) => text.length <= 256));
  });

  test('__proto__ and constructor are data', async () => {
    const text = `{"kind":"VirtualMachine","metadata":{"__proto__":{"deletionTimestamp":"x"}},"spec":{"__proto__":{"a":1},"template":{"spec":{"domain":{"launchSecurity":{"__proto__":{"sev":{}}, "sev":{}}}}}}}`;
    const answer = await ask(reviewOfObject(JSON.parse(text)), { webhook: ALLOW });
    assert.deepEqual([answer.allowed, answer.status?.code], [false, 422]);
  });

  test('of any shape end in an answer with the uid, and a proven lack never in a yes', async () => {
    const junk = fc.anything({ maxDepth: 3, withNullPrototype: true });
    const spec = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, junk, tie('object')),
      object: fc.dictionary(fc.constantFrom(...NAMES), tie('value')),
    })).object;
    const change = fc.record({ path: fc.array(fc.nat(8), { maxLength: 8 }), value: fc.oneof(junk, spec) });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(spec, junk, change),
        fc.constantFrom('CREATE', 'UPDATE'),
        junk,
        async (made, operation, old) => {
          const object = isChange(made) ? changed(machine({ launchSecurity: WAYS.sev }), made.path, made.value) : made;
          const answer = await ask(reviewOfObject(object, { operation, oldObject: old, kind: KIND }), {
            webhook: ALLOW,
            rules: [{ from: 'container-disk', match: '*', image: 'plain' }],
          });
          assert.equal(answer.uid, UID);
          assert.equal(typeof answer.allowed, 'boolean');
          assert.equal(answer.allowed, answer.status === undefined);
          if (answer.auditAnnotations?.['decision'] === 'may-not') assert.equal(answer.allowed, false);
          JSON.stringify(answer);
        },
      ),
      { numRuns: 1500 },
    );
  });
});

/** Names that lead deeper into an object than random ones would. */
const NAMES = (
  'spec template metadata annotations domain devices disks volumes name bootOrder launchSecurity sev snp tdx policy ' +
  'encryptedState containerDisk image dataVolume dataVolumeTemplates unpin.dev/image firmware kernelBoot __proto__ deletionTimestamp'
).split(' ');

const KIND = { group: 'kubevirt.io', version: 'v1', kind: 'VirtualMachine' };

interface Changed {
  readonly path: readonly number[];
  readonly value: unknown;
}

function isChange(made: unknown): made is Changed {
  return (
    typeof made === 'object' && made !== null && Object.hasOwn(made, 'path') && Array.isArray((made as Changed).path)
  );
}

/** The object with one value replaced, wherever the path leads. */
function changed(object: Record<string, unknown>, path: readonly number[], value: unknown): unknown {
  const copy = structuredClone(object);
  let at: Record<string, unknown> = copy;
  for (const step of path) {
    const keys = Object.keys(at);
    const key = keys[step % Math.max(keys.length, 1)] ?? 'none';
    const next = at[key];
    if (typeof next !== 'object' || next === null) {
      at[key] = value;
      return copy;
    }
    at = next as Record<string, unknown>;
  }
  at['extra'] = value;
  return copy;
}

test('an error goes by the operator’s other choice', () => {
  assert.equal(answerError(UID, 'no database', { unknown: 'allow', onError: 'refuse' }).response.status?.code, 503);
  const through = answerError(UID, 'no database', { unknown: 'refuse', onError: 'allow' }).response;
  assert.deepEqual([through.allowed, through.warnings?.length], [true, 1]);
});
