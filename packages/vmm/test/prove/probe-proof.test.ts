import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Proof, proveImage, rootOf } from '../../src/index.ts';

const MEMORY = 64 * 2 ** 20;
const PAGE = 4096;

/** The probe as both types: it needs no kernel. It never has user space, so that the best it can be is unknown. */
const proofOf = async (flavour: 'honest' | 'silent' | 'lying', window = 100_000): Promise<Proof> =>
  await proveImage({ boot: { kind: 'probe', flavour }, memoryBytes: MEMORY, window });

describe('a guest that reports what it converts', () => {
  let honest: Proof;
  before(async () => {
    honest = await proofOf('honest');
  });

  test('does the same as both types, to its end', () => {
    assert.equal(honest.divergence, undefined);
    assert.deepEqual([honest.outcome, honest.why], ['unknown', 'the guest never reached user space']);
    assert.equal(honest.end?.kind, 'ended');
    assert.match(honest.lastLine, /done, 0 wrong/);
    assert.deepEqual([honest.conversions, honest.lies, honest.encrypted], [2, 0, true]);
    assert.ok(honest.instructions > 10_000);
  });

  test('does the same a second time', async () => {
    const again = await proofOf('honest');
    assert.equal(again.digest, honest.digest);
    assert.equal(again.instructions, honest.instructions);
  });

  test('is not judged by where the windows end', async () => {
    const narrow = await proofOf('honest', 977);
    assert.equal(narrow.divergence, undefined);
    assert.ok(narrow.windows > 20);
    assert.equal(narrow.instructions, honest.instructions);
  });
});

test('a guest that reports one page too many loses what was in it: the byte, the report and the consequence are named', async () => {
  const { outcome, divergence } = await proofOf('lying', 5_000);
  assert.equal(outcome, 'diverged');
  assert.ok(divergence?.loss !== undefined);
  const { bytes, origin } = rootOf(divergence.loss);
  assert.deepEqual([bytes.view, bytes.attribute, bytes.report?.to], ['private', 'shared', 'shared']);
  // The page behind the two that it meant.
  assert.equal(bytes.gpa - (bytes.report?.gpa ?? 0), 2 * PAGE);
  assert.equal(bytes.report?.bytes, 3 * PAGE);
  assert.notEqual(bytes.sev, '00');
  assert.equal(origin.kind, 'conversion');
  assert.equal(origin.at?.text, 'vmmcall');
  assert.equal(origin.at.rip, bytes.report?.by.rip);
  assert.ok(origin.at.after < divergence.at.after);
  assert.match(divergence.at.text ?? '', /scas/);
  assert.ok(divergence.registers.some(({ name }) => name === 'rdi'));
  assert.match(divergence.lie?.onHardware ?? '', /given back/);
});

test('a guest that reports nothing has its host look at the wrong side: where it asks the host is named', async () => {
  const { outcome, conversions, divergence } = await proofOf('silent');
  assert.deepEqual([outcome, conversions], ['diverged', 0]);
  assert.match(divergence?.at.text ?? '', /^in /);
  assert.deepEqual(
    divergence?.registers.map(({ name }) => name),
    ['rax'],
  );
  assert.equal(divergence?.lie?.hostUse, 'virtqueue');
});
