import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** What a fresh process has loaded after importing a module of this package. */
function loadedNatives(specifier: string): string {
  const code = `await import('${specifier}'); process.stdout.write(JSON.stringify(process.report.getReport().sharedObjects))`;
  const cwd = new URL('..', import.meta.url);
  return execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
  });
}

for (const specifier of ['@unpin/kvm', '@unpin/kvm/linux'])
  test(`importing ${specifier} loads no native code`, () => {
    const objects = loadedNatives(specifier);
    assert.match(objects, /libc/);
    assert.doesNotMatch(objects, /koffi/);
  });

test('opening it does', () => {
  const objects = loadedNatives('./test/helpers/open-libc.ts');
  assert.match(objects, /koffi/);
});
