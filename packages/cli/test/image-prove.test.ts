import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Verdict } from '@unpin/policy';
import { type AssetId, assetPath, findAsset } from '@unpin/test-host';
import type { Proof } from '@unpin/vmm';
import { type Ran, unpin } from './unpin.ts';

/** Without what only waits or tests itself; user space is one busybox that switches off. */
const APPEND =
  'quiet mitigations=off tsc=reliable cryptomgr.notests=1 no_timer_check nokaslr init_on_alloc=0 apparmor=0 selinux=0 audit=0 rdinit=/bin/busybox -- poweroff -f';

const needs = (kernel: AssetId): string | false => {
  const missing = ([kernel, 'initrd-shell'] as const).filter((id) => findAsset(id) === undefined);
  return missing.length === 0 ? false : `not fetched: ${missing.join(', ')} (unpin test-host fetch)`;
};

const prove = async (kernel: AssetId, ...more: readonly string[]): Promise<Ran> =>
  await unpin(
    ['--json', 'image', 'prove', assetPath(kernel), '--initrd', assetPath('initrd-shell')].concat(
      ['--append', APPEND, '--memory', '256M'],
      more,
    ),
  );

const parsed = ({ stdout, stderr }: Ran): { readonly proof: Proof; readonly verdict: Verdict } => {
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as { proof: Proof; verdict: Verdict };
};

describe('unpin image prove', () => {
  test('finds no divergence in Debian 6.12, and its verdict says that it was observed', {
    skip: needs('kernel-6.12-cloud'),
  }, async (t) => {
    const ran = await prove('kernel-6.12-cloud');
    assert.equal(ran.code, 0, ran.stderr);
    const { proof, verdict } = parsed(ran);
    t.diagnostic(`${proof.instructions} instructions, ${proof.seconds.toFixed(1)} s`);
    assert.equal(proof.outcome, 'same');
    assert.deepEqual([proof.end?.kind, proof.userSpace, proof.lies], ['ended', true, 0]);
    assert.match(proof.lastLine, /Power down/);
    assert.ok(proof.conversions > 500 && proof.instructions > 1e8);
    for (const id of ['sev-guest', 'reports-conversions', 'reports-correctly'] as const) {
      const { answer, evidence } = verdict.statements[id];
      assert.equal(answer, 'yes');
      assert.match(evidence.find(({ signal }) => signal === 'run-in-lockstep')?.seen ?? '', /power-off/);
    }
  });

  test('names the byte that Debian 5.10 loses, which reports nothing', {
    skip: needs('kernel-5.10-cloud'),
  }, async () => {
    const ran = await prove('kernel-5.10-cloud');
    assert.equal(ran.code, 1, ran.stderr);
    const { proof, verdict } = parsed(ran);
    const { divergence } = proof;
    assert.equal(proof.conversions, 0);
    assert.match(divergence?.at.symbol ?? '', /^pvclock/);
    assert.ok(divergence?.loss !== undefined);
    const { bytes, origin } = divergence.loss;
    assert.deepEqual([bytes.view, bytes.attribute, bytes.report], ['shared', 'private', undefined]);
    assert.notEqual(bytes.sev, bytes.upm);
    assert.equal(bytes.otherSide, bytes.sev, 'what the host wrote lies on the other side');
    assert.equal(origin.kind, 'host-write');
    assert.match(`${origin.at?.symbol} ${origin.at?.text}`, /^native_write_msr\+.* wrmsr$/);
    assert.match(divergence.lie?.onHardware ?? '', /never sees the update/);
    const { answer, evidence } = verdict.statements['reports-conversions'];
    assert.equal(answer, 'no');
    assert.ok(evidence.some(({ signal }) => signal === 'run-in-lockstep'));
  });

  test('says that it cannot tell where it ends too early, and the same each time', {
    skip: needs('kernel-6.12-cloud'),
  }, async () => {
    const both = [1, 2].map(async () => await prove('kernel-6.12-cloud', '--instructions', '20000000'));
    const [first, second] = await Promise.all(both);
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(first.code, 2, first.stderr);
    assert.equal(parsed(first).proof.why, 'the guest never reached user space');
    assert.equal(parsed(first).proof.digest, parsed(second).proof.digest);
  });

  test('refuses what is no kernel, and options that mean nothing', async () => {
    const noKernel = await unpin(['image', 'prove', import.meta.filename]);
    assert.equal(noKernel.code, 65);
    const noSeed = await unpin(['image', 'prove', import.meta.filename, '--seed', 'x']);
    assert.equal(noSeed.code, 64);
    assert.match(noSeed.stderr, /--seed/);
  });
});
