/** What every kernel of the test set is found to be able to do, from its bare file. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type InspectOptions, inspectKernelFile } from '../src/index.ts';
import { assetPath, needsAsset } from './assets.ts';
import { EXPECTED_KERNELS } from './image-set/expected.ts';

function found(id: string, options?: InspectOptions): Record<string, string> {
  const { verdict, problem } = inspectKernelFile(assetPath(id) ?? '', options);
  assert.equal(problem, undefined);
  return Object.fromEntries(
    Object.entries(verdict.statements).map(([statement, { answer, level }]) => [statement, `${answer} ${level}`]),
  );
}

describe('the verdict', () => {
  for (const { id, statements } of EXPECTED_KERNELS)
    test(`on ${id}`, needsAsset(id), () => {
      assert.deepEqual(found(id), statements);
    });

  const [id] = ['kernel-6.12-cloud'] as const;
  for (const [commandLine, changed] of [
    ['quiet nopv', { 'reports-conversions': 'no proven', 'reports-correctly': 'no proven' }],
    // Debian's kernels know the older word, which counts on Xen only.
    ['xen_nopv', {}],
    ['accept_memory=eager', { 'unaccepted-memory': 'no proven' }],
    // Rules SME, on the host; a guest's SEV is the processor's to say.
    ['mem_encrypt=off', {}],
    ['quiet -- nopv', {}],
  ] as const)
    test(`on ${id} with ${commandLine}`, needsAsset(id), () => {
      const expected = EXPECTED_KERNELS.find((kernel) => kernel.id === id)?.statements;
      assert.deepEqual(found(id, { commandLine }), { ...expected, ...changed });
    });
});
