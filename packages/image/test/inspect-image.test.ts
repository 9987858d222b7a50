import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ByteSource, inspectImage, memorySource } from '../src/index.ts';
import { syntheticKernel } from './synthetic/kernel.ts';

const KERNEL = syntheticKernel();

/** A source that notes what is asked of it. */
function watched(bytes: Uint8Array): ByteSource & { readonly reads: (readonly [number, number])[] } {
  const inner = memorySource('given', bytes);
  const reads: (readonly [number, number])[] = [];
  return {
    ...inner,
    reads,
    read: (offset, length) => {
      reads.push([offset, length]);
      return inner.read(offset, length);
    },
  };
}

describe('inspectImage, of whatever source there is', () => {
  test('judges a kernel and tells the files that were judged', async () => {
    const source = watched(KERNEL);
    const { inspection, start, close } = await inspectImage(source, { commandLine: 'nopv' });
    assert.equal(inspection.layers.container, 'kernel');
    assert.equal(inspection.decidedBy, 'only');
    assert.equal(inspection.verdict.statements['reports-conversions'].answer, 'no');
    assert.equal(inspection.verdict.bootSet.commandLine, 'nopv');
    assert.deepEqual(Buffer.from((await start?.kernel.read(0, KERNEL.length)) ?? []), KERNEL);
    assert.ok(source.reads.length > 0);
    close();
  });

  test('ends with a verdict for anything, and says what stood in the way', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('text'), Buffer.alloc(2 ** 20), KERNEL.subarray(0, 5000)]) {
      const { inspection } = await inspectImage(memorySource('given', bytes));
      assert.equal(inspection.verdict.statements['sev-guest'].answer, 'unknown');
      assert.notEqual(inspection.verdict.obstacles[0] ?? '', '');
      assert.notEqual(inspection.problem, undefined);
      assert.equal(inspection.verdict.bootSet.digest === '' || inspection.layers.container === 'kernel', true);
    }
  });

  test('reads of a large sparse disk what its metadata and one kernel take', async () => {
    // 2 TiB of zeroes with nothing in them but a boot sector's signature.
    const size = 2 ** 41;
    const source: ByteSource = {
      name: 'huge',
      size,
      read: async (offset, length) => {
        const bytes = Buffer.alloc(length);
        if (offset <= 510 && offset + length >= 512) bytes.set([0x55, 0xaa], 510 - offset);
        return bytes;
      },
    };
    const { inspection } = await inspectImage(source);
    assert.ok(inspection.figures.bytesRead < 2 ** 24, `${inspection.figures.bytesRead} bytes read`);
  });
});
