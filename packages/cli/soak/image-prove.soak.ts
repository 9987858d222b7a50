import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AssetId, assetPath, findAsset } from '@unpin/test-host';
import type { Proof } from '@unpin/vmm';
import { unpin } from '../test/unpin.ts';

interface Case {
  readonly kernel: AssetId;
  readonly append: string;
  readonly seed: number;
  readonly outcome: Proof['outcome'];
}

const POWER_OFF = 'rdinit=/bin/busybox -- poweroff -f';

/** Kernels as Debian ships them, with their own tests, mitigations and layouts of each seed; idle shells, too. */
const CASES: readonly Case[] = [1, 2, 3].flatMap((seed) => [
  { kernel: 'kernel-6.12-cloud', append: POWER_OFF, seed, outcome: 'same' },
  { kernel: 'kernel-6.12-cloud', append: 'quiet', seed, outcome: 'same' },
  { kernel: 'kernel-6.1-cloud', append: POWER_OFF, seed, outcome: 'same' },
  { kernel: 'kernel-6.1-cloud', append: 'quiet', seed, outcome: 'same' },
  { kernel: 'kernel-5.10-cloud', append: POWER_OFF, seed, outcome: 'diverged' },
]);

for (const { kernel, append, seed, outcome } of CASES) {
  const skip = findAsset(kernel) === undefined || findAsset('initrd-shell') === undefined;
  test(`${kernel} "${append}", seed ${seed}`, { skip: skip && `not fetched: ${kernel}` }, async (t) => {
    const image = ['--json', 'image', 'prove', assetPath(kernel), '--initrd', assetPath('initrd-shell')];
    const { stdout, stderr } = await unpin([...image, '--append', append, '--seed', String(seed)]);
    assert.notEqual(stdout, '', stderr);
    const { proof } = JSON.parse(stdout) as { readonly proof: Proof };
    t.diagnostic(`${proof.instructions} instructions, ${proof.seconds.toFixed(1)} s, ${proof.lastLine}`);
    assert.equal(proof.outcome, outcome, JSON.stringify(proof.divergence ?? proof.why));
    if (outcome === 'same') assert.equal(proof.lies, 0);
    else assert.equal(proof.divergence?.loss?.origin.kind, 'host-write');
  });
}
