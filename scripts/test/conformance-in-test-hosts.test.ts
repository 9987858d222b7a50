import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { findAsset, HOST_KERNELS, keptCode, startTestHost, TEST_HOST_ASSETS } from '@unpin/test-host';

const root = join(import.meta.dirname, '../..');

interface Report {
  readonly outcomes: readonly { readonly id: string; readonly status: string }[];
  readonly counts: Readonly<Record<string, number>>;
}

describe('the rules of the KVM user API hold on a real kvm_amd', () => {
  for (const kernel of HOST_KERNELS) {
    const missing = [...TEST_HOST_ASSETS, kernel].filter((id) => findAsset(id) === undefined);
    const skip = missing.length > 0 && `needs ${missing.join(', ')}: unpin test-host fetch`;
    test(kernel, { skip, timeout: 900_000 }, async (t) => {
      const stdout = new PassThrough();
      const collected = text(stdout);
      const { exitCode } = await startTestHost({
        kernel,
        command: [process.execPath, 'scripts/conformance.ts', '--json', '--run-limit-ms', '60000'],
        cwd: root,
        env: { ...process.env, ...keptCode() },
        stdin: 'ignore',
        stdout,
        timeoutMs: 850_000,
      });
      stdout.end();
      const said = await collected;
      const report = parse(said);
      t.diagnostic(JSON.stringify(report?.counts));
      assert.deepEqual(
        report?.outcomes.filter((o) => o.status === 'failed'),
        [],
        said.slice(-2000),
      );
      assert.equal(exitCode, 0);
    });
  }
});

function parse(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}
