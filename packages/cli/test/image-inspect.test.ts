import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ImageVerdictDocument } from '@unpin/contract';
import { check } from '@unpin/contract/check';
import { type AssetId, assetPath, findAsset } from '@unpin/test-host';
import { imageOf } from '../../image/test/image-set/build.ts';
import { missingKernels } from '../../image/test/image-set/kernels.ts';
import { ROWS, recipeOf } from '../../image/test/image-set/table.ts';
import { needsDiskTools } from '../../image/test/tools.ts';
import { unpin } from './unpin.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'unpin-inspect-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

const NEW = 'kernel-6.12-cloud';
const OLD = 'kernel-5.10-cloud';

function needs(...ids: readonly AssetId[]): { skip: string | false } {
  const missing = ids.filter((id) => findAsset(id) === undefined);
  return { skip: missing.length > 0 && `needs ${missing.join(', ')}: unpin test-host fetch` };
}

/** An image of the set, by its row's name. */
function setImage(id: string): { readonly skip: string | false; readonly path: () => string } {
  const row = ROWS.find((each) => each.id === id);
  if (row === undefined) throw new Error(`no row ${id}`);
  const missing = missingKernels(row.kernels);
  const skip = needsDiskTools().skip || (missing.length > 0 && `needs ${missing.join(', ')}: unpin test-host fetch`);
  return { skip, path: () => imageOf(recipeOf(row)) };
}

async function json(args: readonly string[]): Promise<ImageVerdictDocument> {
  const { stdout, stderr } = await unpin(['image', 'inspect', ...args, '--format', 'json']);
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as ImageVerdictDocument;
}

describe('unpin image inspect, one image', () => {
  const debian = setImage('debian12-cloud-gpt-qcow2-zlib');
  test('tells the layers, the entries, and what the default can do', debian, async () => {
    const { code, stdout } = await unpin(['image', 'inspect', debian.path()]);
    assert.equal(code, 0);
    assert.match(stdout, /qcow2 · .*GPT · .*ext4/);
    assert.match(stdout, /→ +1 +\S.* grub/);
    assert.match(stdout, /yes +reports-conversions +proven/);
    assert.match(stdout, /may run as .*sev-upm/);
  });

  test('prints JSON that its published schema describes', debian, async () => {
    const document = await json([debian.path(), '--check', 'sev-upm', '--compare-claims', 'SEV_CAPABLE,GVNIC']);
    assert.deepEqual(check(ImageVerdictDocument, document), { ok: true, value: document });
    assert.equal(document.decision?.outcome, 'may');
    assert.equal(document.decidedBy, 'default');
    assert.match(document.verdict.bootSet.initrd?.sha256 ?? '', /^[0-9a-f]{64}$/);
    assert.ok((document.verdict.bootSet.configuration?.length ?? 0) > 0);
  });

  const two = setImage('no-loader-two-kernels');
  test('judges the worst where the default can’t be told, or the entry that was asked for', two, async () => {
    const worst = await json([two.path()]);
    assert.equal(worst.decidedBy, 'worst');
    assert.equal(worst.verdict.statements['reports-conversions'].answer, 'no');
    const able = worst.entries.findIndex(({ verdict }) => verdict?.statements['reports-conversions'].answer === 'yes');
    assert.ok(able >= 0);
    const asked = await json([two.path(), '--entry', String(able + 1)]);
    assert.equal(asked.decidedBy, 'asked');
    assert.equal(asked.verdict.statements['reports-conversions'].answer, 'yes');
    assert.notEqual(asked.verdict.bootSet.digest, worst.verdict.bootSet.digest);
    const absent = await unpin(['image', 'inspect', two.path(), '--entry', 'no such']);
    assert.equal(absent.code, 66);
    assert.match(absent.stderr, /1 '/);
  });

  const luks = setImage('luks-all');
  test('that is encrypted has a verdict, all of it unknown, with what stood in the way', luks, async () => {
    const { code, stdout } = await unpin(['image', 'inspect', luks.path(), '--check', 'sev-upm', '--evidence']);
    assert.equal(code, 2);
    assert.match(stdout, /LUKS/);
    assert.equal((await unpin(['image', 'inspect', luks.path()])).code, 0);
  });
});

describe('unpin image inspect in the words of others', () => {
  test('GCE: the very flag, and on stderr what was left out', needs(NEW, OLD), async () => {
    const able = await unpin(['image', 'inspect', assetPath(NEW), '--format', 'gce']);
    assert.equal(able.stdout, '--guest-os-features=SEV_CAPABLE,SEV_LIVE_MIGRATABLE_V2,SEV_SNP_CAPABLE,TDX_CAPABLE\n');
    const older = await unpin(['image', 'inspect', assetPath(OLD), '--format', 'gce']);
    assert.equal(older.stdout, '--guest-os-features=SEV_CAPABLE\n');
    assert.match(older.stderr, /^# SEV_LIVE_MIGRATABLE_V2 left out \(no\)/m);
  });

  test('Nova: the strongest model’s properties', needs(NEW, OLD), async () => {
    const able = await unpin(['image', 'inspect', assetPath(NEW), '--format', 'nova']);
    assert.match(able.stdout, /^openstack image set .*--property hw_mem_encryption_model=amd-sev-snp .*"\$IMAGE"$/m);
    assert.match(able.stdout, /hw_firmware_stateless=true/);
    const older = await unpin(['image', 'inspect', assetPath(OLD), '--format', 'nova']);
    assert.match(older.stdout, /^openstack image set .*hw_mem_encryption_model=amd-sev-es "\$IMAGE"$/m);
  });

  test('KubeVirt: launchSecurity and labels', needs(OLD), async () => {
    const { stdout } = await unpin(['image', 'inspect', assetPath(OLD), '--format', 'kubevirt']);
    assert.match(stdout, /^ {4}unpin\/reports-conversions: "no"$/m);
    assert.match(stdout, /^ {4}launchSecurity:.*\n {6}sev:\n {8}policy:\n {10}encryptedState: true$/m);
  });
});

const claims = (kernel: AssetId, tags: string) =>
  unpin(['image', 'inspect', assetPath(kernel), '--compare-claims', tags]);

describe('unpin image inspect --compare-claims', () => {
  test('names what a tag claims and the image can’t do', needs(OLD), async () => {
    const { code, stdout } = await claims(OLD, 'SEV_CAPABLE,SEV_LIVE_MIGRATABLE_V2,GVNIC');
    assert.equal(code, 1);
    assert.match(stdout, /SEV_CAPABLE +holds/);
    assert.match(stdout, /SEV_LIVE_MIGRATABLE_V2 +contradicted/);
    assert.match(stdout, /GVNIC +not looked at/);
  });

  test('says which tag could be there, which is no contradiction', needs(NEW), async () => {
    const { code, stdout } = await claims(NEW, 'SEV_CAPABLE');
    assert.equal(code, 0);
    assert.match(stdout, /SEV_LIVE_MIGRATABLE_V2 +could be claimed/);
  });

  test('knows Nova’s properties, and refuses a model that there is not', needs(OLD), async () => {
    assert.equal((await claims(OLD, 'hw_mem_encryption=true hw_mem_encryption_model=amd-sev')).code, 0);
    assert.equal((await claims(OLD, 'hw_mem_encryption_model=amd-sev-snp')).code, 1);
    assert.equal((await claims(OLD, 'hw_mem_encryption_model=intel-mktme')).code, 64);
  });
});

describe('unpin image inspect, many images', () => {
  const folder = (): string => {
    const path = join(dir, 'many');
    mkdirSync(path, { recursive: true });
    for (const id of [NEW, OLD] as const) symlinkSync(assetPath(id), join(path, id));
    writeFileSync(join(path, 'README'), 'no image\n');
    writeFileSync(join(path, '.hidden'), 'not looked at\n');
    return path;
  };

  test('is one line for each, and the worst answer as exit status', needs(NEW, OLD), async () => {
    const path = folder();
    const { code, stdout } = await unpin(['image', 'inspect', path, '--check', 'sev-upm']);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^${NEW} +yes .*sev-upm: may$`, 'm'));
    assert.match(stdout, new RegExp(`^${OLD} +yes .*sev-upm: may-not$`, 'm'));
    assert.match(stdout, /^README .*NOT_A_KERNEL/m);
    assert.doesNotMatch(stdout, /hidden/);
    const document = JSON.parse((await unpin(['--json', 'image', 'inspect', path])).stdout) as { images: unknown[] };
    assert.equal(document.images.length, 3);
    const only = join(dir, 'only');
    mkdirSync(only);
    cpSync(assetPath(NEW), join(only, 'kernel'));
    assert.equal((await unpin(['image', 'inspect', only, '--check', 'sev-upm'])).code, 0);
  });
});
